import type { PositionStorage } from '../../../src/persist/index.js'

/** A storage as pages have it. */
export class Shelf implements PositionStorage {
  readonly items = new Map<string, string>()
  writes = 0

  getItem(key: string): string | null {
    return this.items.get(key) ?? null
  }

  setItem(key: string, value: string): void {
    this.writes++
    this.items.set(key, value)
  }

  get text(): string {
    return [...this.items.values()].join()
  }
}
