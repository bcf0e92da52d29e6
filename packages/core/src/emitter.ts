import mitt from 'mitt'

// biome-ignore lint/suspicious/noExplicitAny: the events differ, and a listener is only called with its own
type Guarded = (event: any) => void

/** Listeners that are no application's, and whether one hears by them. */
export const hears = new WeakMap<object, () => boolean>()

/** Calls listeners back. What one of them throws is handed to `failed`, and the others are called all the same. */
export class Emitter<Events extends Record<string, unknown>> {
  readonly #mitt = mitt<Events>()
  /** What mitt calls, by listener and event. */
  readonly #guarded = new Map<unknown, Map<keyof Events, Guarded>>()
  readonly #failed: (event: keyof Events, cause: unknown) => void

  constructor(failed: (event: keyof Events, cause: unknown) => void) {
    this.#failed = failed
  }

  /** Adding a listener to an event twice changes nothing. */
  on<K extends keyof Events>(event: K, listener: (event: Events[K]) => void, once = false): void {
    const known = this.#guarded.get(listener) ?? new Map<keyof Events, Guarded>()
    if (known.has(event)) return
    const guarded = (value: Events[K]) => {
      if (once) this.off(event, listener)
      try {
        listener(value)
      } catch (cause) {
        this.#failed(event, cause)
      }
    }
    known.set(event, guarded)
    this.#guarded.set(listener, known)
    this.#mitt.on(event, guarded)
  }

  off<K extends keyof Events>(event: K, listener: (event: Events[K]) => void): void {
    const known = this.#guarded.get(listener)
    const guarded = known?.get(event)
    if (known === undefined || guarded === undefined) return
    this.#mitt.off(event, guarded)
    known.delete(event)
    if (known.size === 0) this.#guarded.delete(listener)
  }

  /** Whether an application listens. */
  heard(event: keyof Events): boolean {
    return [...this.#guarded].some(
      ([listener, events]) => events.has(event) && (hears.get(listener as object)?.() ?? true),
    )
  }

  emit<K extends keyof Events>(event: K, value: Events[K]): void {
    this.#mitt.emit(event, value)
  }

  clear(): void {
    this.#mitt.all.clear()
    this.#guarded.clear()
  }
}
