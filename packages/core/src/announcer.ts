import { Emitter } from './emitter.js'
import { reportError } from './environment.js'
import { PushStreamError } from './errors.js'
import type { Channels, ClientEvents, DeadLetter } from './events.js'
import { Notices } from './notices.js'
import type { Environment } from './types.js'

/** Tells an application what happens, and the console what nobody listens to. */
export class Announcer<C extends Channels> {
  readonly emitter = new Emitter<ClientEvents<C>>((event, cause) =>
    // An error listener that throws would get its own error for ever.
    event === 'error' ? reportError(cause) : this.threw(`A listener of '${event}'`, cause),
  )
  readonly notices: Notices
  #closed = false

  /** @param look whether something still fails: what it is, if it was not reported yet. */
  constructor(environment: Environment, look: () => boolean | PushStreamError) {
    this.notices = new Notices(environment, look)
  }

  readonly error = (error: PushStreamError): void => this.emit('error', error)

  emit<K extends keyof ClientEvents<C>>(event: K, value: ClientEvents<C>[K]): void {
    if (this.#closed) return
    if (event === 'error') this.notices.error(value as PushStreamError, this.emitter.heard(event))
    else if (event === 'deadletter' && !this.emitter.heard(event)) {
      const error = this.notices.unread(value as DeadLetter)
      if (error) this.error(error)
    }
    this.emitter.emit(event, value)
  }

  deadletter(raw: string, reason: string, channel?: string): void {
    this.emit('deadletter', { channel, raw, reason, message: undefined, issues: undefined })
  }

  /** A listener or a processor of the application threw. */
  threw(who: string, cause: unknown, channel?: string): void {
    const what = `${who} of the application threw. The message counts as delivered.`
    reportError(cause)
    this.emitter.emit('error', new PushStreamError('listener', what, { cause, channel }))
  }

  /** Nothing is told from now on. */
  close(): void {
    this.#closed = true
    this.emitter.clear()
  }
}
