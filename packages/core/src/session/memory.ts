import type { Environment, ModeName } from '../types.js'

/** How long a mode that worked is tried first, in ms. */
const keep = 10 * 60_000

/** Remembers for an origin which mode worked where a better one did not, also across page loads. */
export class ModeMemory {
  readonly #environment: Environment
  readonly #key: string
  #own: { mode: ModeName; until: number } | undefined

  constructor(environment: Environment, origin: string) {
    this.#environment = environment
    this.#key = `pushstream:mode:${origin}`
    try {
      const [mode, until] = (environment.memory?.getItem(this.#key) ?? '').split(' ')
      if (until !== undefined) this.#own = { mode: mode as ModeName, until: Number(until) }
    } catch {
      // Storage may be forbidden: then every page load finds out for itself.
    }
  }

  /** The modes in the order to try now. */
  order(modes: readonly ModeName[]): readonly ModeName[] {
    const own = this.#own
    if (own === undefined || own.until < this.#environment.now() || !modes.includes(own.mode)) return modes
    return [own.mode, ...modes.filter((mode) => mode !== own.mode)]
  }

  /** This mode works; `undefined`: the most wanted one does. */
  remember(mode: ModeName | undefined): void {
    if (mode === undefined && this.#own === undefined) return
    this.#own = mode && { mode, until: this.#environment.now() + keep }
    try {
      this.#environment.memory?.setItem(this.#key, this.#own === undefined ? '' : `${mode} ${this.#own.until}`)
    } catch {
      // As above.
    }
  }
}
