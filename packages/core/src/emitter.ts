import mitt from 'mitt'

/** Calls a listener back, guarded. */
interface Guarded<Events, K extends keyof Events> {
  (event: Events[K]): void
  readonly listener: object
}

/** Listeners that are no application's, and whether one hears by them. */
export const hears = new WeakMap<object, () => boolean>()

/** Calls listeners back. What one of them throws is handed to `failed`, and the others are called all the same. */
export class Emitter<Events extends Record<string, unknown>> {
  readonly #mitt = mitt<Events>()
  readonly #failed: (event: keyof Events, cause: unknown) => void

  constructor(failed: (event: keyof Events, cause: unknown) => void) {
    this.#failed = failed
  }

  #all<K extends keyof Events>(event: K): readonly Guarded<Events, K>[] {
    return ((this.#mitt.all.get(event) as unknown) ?? []) as Guarded<Events, K>[]
  }

  /** Adding a listener to an event twice changes nothing. */
  on<K extends keyof Events>(event: K, listener: (event: Events[K]) => void, once = false): void {
    if (this.#all(event).some((one) => one.listener === listener)) return
    const guarded = (value: Events[K]) => {
      if (once) this.off(event, listener)
      try {
        listener(value)
      } catch (cause) {
        this.#failed(event, cause)
      }
    }
    this.#mitt.on(event, Object.assign(guarded, { listener }))
  }

  off<K extends keyof Events>(event: K, listener: (event: Events[K]) => void): void {
    for (const one of this.#all(event)) if (one.listener === listener) this.#mitt.off(event, one)
  }

  /** Whether an application listens. */
  heard(event: keyof Events): boolean {
    return this.#all(event).some(({ listener }) => hears.get(listener)?.() ?? true)
  }

  emit<K extends keyof Events>(event: K, value: Events[K]): void {
    this.#mitt.emit(event, value)
  }

  clear(): void {
    this.#mitt.all.clear()
  }
}
