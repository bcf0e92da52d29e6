import type { Channel } from '../delivery/channel.js'
import { PushStreamError } from '../errors.js'
import type { Settings } from '../options.js'
import type { Provider } from '../types.js'

/** What a refusal may be about. */
interface Doubtful {
  undecided(): readonly Channel[]
  readonly parts: { readonly store: { readonly all: readonly Channel[] } }
}

/** Calls a function of the application. What it throws is reported as an error of the application. */
export const ask = async <T>(provider: Provider<T>, name: string, then = 'The request is tried again.'): Promise<T> => {
  if (typeof provider !== 'function') return provider
  try {
    return await (provider as () => T | Promise<T>)()
  } catch (cause) {
    throw new PushStreamError('listener', `The function '${name}' failed. ${then}`, { cause })
  }
}

/** The channels that a refusal is about: those that nothing carries, or all that a replacement was to carry. */
export function doubted(session: Doubtful): readonly Channel[] {
  const undecided = session.undecided()
  return undecided.length > 0 ? undecided : session.parts.store.all
}

/** Asks the application for other credentials: once for all sessions of a client, until the server takes some. */
export class Credentials {
  readonly #ask: Settings['onUnauthorized']
  /** Channels for which other credentials were asked for, since the server last took them. */
  readonly #tried = new WeakSet<Channel>()
  /** What to do if there are none. */
  #refusals: (() => void)[] = []

  constructor({ onUnauthorized }: Settings) {
    this.#ask = onUnauthorized
  }

  /** Whether it is for the application to say what a refusal of these channels means. */
  asks(status: number | undefined, channels: readonly Channel[]): boolean {
    if (this.#ask === undefined || status !== 401) return false
    return this.#refusals.length > 0 || channels.some((one) => !this.#tried.has(one))
  }

  /** Asks, unless that is under way. Then calls one of both. */
  renew(granted: () => void, refused: () => void, failed: (error: PushStreamError) => void): void {
    if (this.#refusals.push(refused) > 1) return
    ask(this.#ask as () => boolean | Promise<boolean>, 'onUnauthorized', 'The channels are refused.')
      .catch(failed)
      .then((answer) => {
        const refusals = this.#refusals.splice(0)
        if (answer === true) granted()
        else for (const refuse of refusals) refuse()
      })
  }

  tried(channels: readonly Channel[]): void {
    for (const channel of channels) this.#tried.add(channel)
  }

  /** The server took these channels, or they are given up: the next refusal is another one. */
  decided(channels: readonly Channel[]): void {
    for (const channel of channels) this.#tried.delete(channel)
  }
}
