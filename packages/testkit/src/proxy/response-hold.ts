/** Settings of all connections of a proxy. */
export interface HoldSettings {
  /** How many bytes of content to buffer before they are passed on. 0: off. */
  bytes: number
  /** Whether the response's head is held back as well. */
  head: 'hold' | 'pass'
}

/** The buffer of a buffering proxy, for the responses of one connection. */
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

  /** Passes the buffer on if there is enough in it, or if the settings changed. */
  poke(): void {
    if (this.#content >= this.#settings.bytes) this.flush()
  }

  /** The response is complete: passes the rest on. */
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
