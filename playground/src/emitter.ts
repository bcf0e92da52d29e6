/** Calls back whoever listens, by kind of event. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>()

  on<K extends keyof Events>(kind: K, listener: (event: Events[K]) => void): void {
    const known = this.#listeners.get(kind) ?? new Set()
    known.add(listener as (event: never) => void)
    this.#listeners.set(kind, known)
  }

  emit<K extends keyof Events>(kind: K, event: Events[K]): void {
    for (const listener of this.#listeners.get(kind) ?? []) (listener as (event: Events[K]) => void)(event)
  }
}
