import { PushStreamError } from '../errors.js'
import type { Status } from '../events.js'
import { ClassicError } from './error.js'
import type { LogLevel } from './log.js'
import { guarded } from './post.js'
import { type ClassicProperties, modeOf, wrapperOf } from './properties.js'

export const closed = 0
export const connecting = 1
export const open = 2

const refusals: readonly string[] = ['forbidden', 'unauthorized', 'bad-request']

/** What {@link ClassicStates} needs of its client. */
export interface StatesHost {
  /** Whether the page wants to be connected. */
  wanted(): boolean
  /** The state of the client underneath. */
  engine(): Status['state'] | undefined
  /** Asks for a refused channel later. */
  retry(channel: string): void
  log(level: LogLevel, ...values: unknown[]): void
}

/** Shows the states and errors of the client underneath as the classic ones. */
export class ClassicStates {
  readonly #page: ClassicProperties & { readyState: number }
  readonly #host: StatesHost
  /** The last known state of the client underneath. */
  #state: Status['state'] = 'closed'
  /** An error whose consequences are not handled yet. */
  #error: PushStreamError | undefined

  constructor(page: ClassicProperties & { readyState: number }, host: StatesHost) {
    this.#page = page
    this.#host = host
  }

  set(state: number): void {
    const page = this.#page
    if (page.readyState === state) return
    page.readyState = state
    this.#host.log('info', 'status changed', state)
    guarded(page.onstatuschange, state)
  }

  /** The client underneath is replaced. */
  begin(): void {
    this.#state = 'closed'
  }

  /** The status of the client underneath has changed. */
  follow({ state, mode }: Status): void {
    const page = this.#page
    if (mode !== undefined) page.wrapper = page.wrappers.find((one) => modeOf(one) === mode) ?? wrapperOf(mode)
    const before = this.#state
    this.#state = state
    if (state === before) return
    if (state === 'open') return this.set(open)
    const type = page.readyState === open ? 'timeout' : 'load'
    const error = this.#error
    const lost = this.#host.wanted() && (type === 'timeout' || state !== 'connecting') && page.readyState !== closed
    if (lost || state !== 'connecting') this.set(closed)
    // Leaving the page is not an error, nor is a client without channels. A refusal is reported separately.
    const reported = state !== 'closed' || (!page.autoReconnect && page.channelsCount > 0)
    if (lost && reported && !refusals.includes(error?.code ?? '')) {
      const gone = new PushStreamError('unreachable', 'The connection was lost. The client reconnects.')
      this.#report(new ClassicError(type, error ?? gone))
    }
    if (state !== 'connecting' || this.#host.engine() !== state) return
    this.set(connecting)
  }

  /** The client underneath reports an error. */
  failed(error: PushStreamError): void {
    if (error.code === 'listener') {
      // Rethrown, so that the browser reports it as an uncaught error of the page.
      return guarded(() => {
        throw error.cause
      })
    }
    this.#error = error
    const { channel } = error
    const refused = refusals.includes(error.code) && channel !== undefined
    if (refused && this.#page.autoReconnect) this.#host.retry(channel)
    // By then the status has changed, if it changes.
    queueMicrotask(() => {
      if (this.#error === error) this.#error = undefined
      if (refused && this.#host.wanted()) this.#report(new ClassicError('load', error))
    })
  }

  #report(error: ClassicError): void {
    this.#host.log('info', 'error', error.type, error.message)
    guarded(this.#page.onerror, error)
  }
}
