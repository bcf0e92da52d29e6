import type { Page } from '../../src/types.js'

/** A page whose lifecycle a test decides. */
export class SimulatedPage implements Page {
  readonly #back = new Set<(online?: unknown) => void>()
  readonly #leave = new Set<() => void>()
  prerendering = false

  onBack(callback: (online?: unknown) => void): () => void {
    this.#back.add(callback)
    return () => this.#back.delete(callback)
  }

  onLeave(callback: () => void): () => void {
    this.#leave.add(callback)
    return () => this.#leave.delete(callback)
  }

  /** How many listeners there are. */
  get listeners(): number {
    return this.#back.size + this.#leave.size
  }

  /** The page is shown, or it goes on. `online`: the network is back. */
  back(online?: 'online'): void {
    for (const callback of [...this.#back]) callback(online)
  }

  /** The page is frozen, or left for the back/forward cache. */
  leave(): void {
    for (const callback of [...this.#leave]) callback()
  }

  /** The page that was prerendered is shown. */
  activate(): void {
    this.prerendering = false
    this.back()
  }
}
