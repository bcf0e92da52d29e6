/** A point where a script waits until the test lets it go on: what a test uses instead of sleeping. */
export interface Gate {
  /** Fulfilled once the gate is open. */
  readonly opened: Promise<void>
  readonly isOpen: boolean
  /** Let everyone through, now and later. A second call is harmless. */
  open(): void
}

/**
 * A closed {@link Gate}.
 *
 * ```ts
 * const published = createGate()
 * server.on('GET /lp/*', async (exchange) => {
 *   await published.opened
 *   exchange.respond(200, {}, 'now')
 * })
 * published.open()
 * ```
 */
export function createGate(): Gate {
  let isOpen = false
  let pass = () => {}
  const opened = new Promise<void>((resolve) => {
    pass = resolve
  })
  return {
    opened,
    get isOpen() {
      return isOpen
    },
    open() {
      isOpen = true
      pass()
    },
  }
}
