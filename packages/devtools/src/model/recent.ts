/** Keeps the newest of what is added. */
export class Recent<T> {
  /** Oldest first. A few more than the most for a while: they are dropped together, so that adding stays cheap. */
  readonly items: T[] = []
  /** How many were ever added. */
  added = 0
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  add(item: T): void {
    this.items.push(item)
    this.added++
    if (this.items.length >= this.#most * 1.25) this.items.splice(0, this.items.length - this.#most)
  }

  /** Those that were added since so many were, as far as they are kept. */
  since(added: number): readonly T[] {
    return this.items.slice(Math.max(0, this.items.length - (this.added - added)))
  }

  clear(): void {
    this.items.length = 0
  }
}
