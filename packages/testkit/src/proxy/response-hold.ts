/** Settings shared by every connection of a proxy. */
export interface HoldSettings {
  /** Content bytes to gather before anything is passed on; 0 is off. */
  bytes: number
  /** Whether the response's head waits as well. */
  head: 'hold' | 'pass'
}

/** A buffering proxy's memory for one connection's responses. */
export class ResponseHold {
  #settings: HoldSettings
  #out: (bytes: Buffer) => void
  #kept: Buffer[] = []
  #content = 0

  constructor(settings: HoldSettings, out: (bytes: Buffer) => void) {
    this.#settings = settings
    this.#out = out
  }

  head(bytes: Buffer): void {
    if (this.#settings.bytes > 0 && this.#settings.head === 'hold') this.#kept.push(bytes)
    else this.#out(bytes)
  }

  body(bytes: Buffer, content: number): void {
    this.#kept.push(bytes)
    this.#content += content
    this.poke()
  }

  /** Pass on what has become due: there is enough, or the settings changed. */
  poke(): void {
    if (this.#content >= this.#settings.bytes) this.flush()
  }

  /** The response is complete: nothing to wait for any more. */
  flush(): void {
    const kept = this.#kept
    this.clear()
    for (const bytes of kept) this.#out(bytes)
  }

  clear(): void {
    this.#kept = []
    this.#content = 0
  }
}
