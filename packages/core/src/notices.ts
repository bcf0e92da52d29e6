import type { PushStreamError } from './errors.js'
import type { DeadLetter } from './events.js'
import type { Settings } from './options.js'
import { shown } from './session/reports.js'
import { troubled } from './symptoms.js'
import type { Environment, ModeName } from './types.js'

/** How long a client may be without a connection before it says why, in ms. */
const patience = 3000
/** How long what failed is kept in case the reason follows, in ms. */
const moment = 100

/** Errors that another mode or attempt may mend. */
const temporary = ['unreachable', 'http', 'silent']

/** A request that is not answered. */
export const slow = ({ url, mode }: { url: string | undefined; mode: ModeName | undefined }) =>
  troubled('unreachable', '', { url, mode, symptom: 'slow' })

/** A client without a channel, or one that was never connected. */
export const idle = () => troubled('setup', 'idle', { symptom: 'idle' })

/** A message template that says too little. */
export const uncertain = () => troubled('setup', 'template', { symptom: 'template' })

/** Reports what the page's policy forbids: no request shows that. Returns what ends it. */
export const onBlocked = ({ environment, origin }: Settings, report: (error: PushStreamError) => void) =>
  environment.page?.onBlocked?.((address) => {
    // A websocket's address is the same with another scheme.
    if (!address.replace(/^ws/, 'http').startsWith(origin)) return
    const url = shown(address)
    report(troubled('unreachable', '', { url, symptom: 'csp' }))
  })

/** Writes what has no listener to the console: once of a kind, and nothing of what mends itself. */
export class Notices {
  readonly #environment: Environment
  readonly #look: () => boolean | PushStreamError
  readonly #said = new Set<string>()
  #pending: PushStreamError | undefined
  /** Something was reported since the client connected. */
  #reported = false
  #timer: unknown

  /** @param look whether something still fails: what it is, if it was not reported yet. */
  constructor(environment: Environment, look: () => boolean | PushStreamError) {
    this.#environment = environment
    this.#look = look
  }

  /** An application waits for messages from now on. */
  begin(report: (error: PushStreamError) => void): void {
    this.#reported = false
    this.#arm(patience, report)
  }

  /** An error is reported. */
  error(error: PushStreamError, heard: boolean): void {
    this.#reported = true
    if (heard) return
    if (!temporary.includes(error.code)) return this.#say(error)
    // A browser says of a policy what it is, and of a websocket nothing.
    if (this.#pending === undefined || (this.#pending.symptom !== 'csp' && error.symptom !== 'websocket'))
      this.#pending = error
    if (this.#timer === undefined) this.#arm(patience)
  }

  /** A round of attempts failed. */
  failed(): void {
    if (this.#pending !== undefined) this.#arm(moment)
  }

  /** What an error says of a frame that can't be read, the first time. */
  unread({ channel, raw, reason, issues }: DeadLetter): PushStreamError | undefined {
    if (this.#said.has('deadletter')) return undefined
    this.#said.add('deadletter')
    return troubled('setup', `${reason}: ${raw.slice(0, 80)}`, {
      channel,
      symptom: issues ? undefined : 'unreadable',
    })
  }

  end(): void {
    this.#environment.clearTimeout(this.#timer)
    this.#timer = this.#pending = undefined
  }

  #arm(ms: number, report?: (error: PushStreamError) => void): void {
    this.#environment.clearTimeout(this.#timer)
    this.#timer = this.#environment.setTimeout(() => {
      const pending = this.#pending
      this.end()
      const found = this.#look()
      if (pending !== undefined) {
        if (found) this.#say(pending)
      } else if (typeof found === 'object' && !this.#reported) {
        report?.(found)
        if (this.#pending === undefined) return
        this.end()
        this.#say(found)
      }
    }, ms)
  }

  #say(error: PushStreamError): void {
    const kind = error.symptom ?? error.code
    if (this.#said.has(kind)) return
    this.#said.add(kind)
    console.warn(`pushstream: ${error.message}`, ...(error.cause === undefined ? [] : [error.cause]))
  }
}
