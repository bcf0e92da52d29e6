/** A point at which a script waits for the test. Use it instead of sleeping. */
export interface Gate {
  /** Fulfilled once the gate is open. */
  readonly opened: Promise<void>
  readonly isOpen: boolean
  /** Opens the gate for good. May be called again. */
  open(): void
}

/**
 * Creates a closed {@link Gate}.
 *
 * @example
 * ```ts
 * import { createGate, createScriptedServer } from '@pushstream/testkit'
 *
 * const published = createGate()
 * createScriptedServer().on('GET /lp/*', async (exchange) => {
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
