import type { Inlet } from '../protocols/protocol.js'

/**
 * The names that the server gives to channels, where its configuration makes others of those asked for
 * (`push_stream_channels_path "user_$1"`). What is asked for as `x` comes as `user_x`.
 */
export class ServerNames {
  /** By the name that was asked for. */
  readonly #given = new Map<string, string>()

  /** As the server calls a channel. */
  of(asked: string): string {
    return this.#given.get(asked) ?? asked
  }

  /** Hands frames on under the names that were asked for. */
  inlet(asked: readonly string[], inlet: Inlet): Inlet {
    return {
      message: (message) => {
        const channel = this.#asked(message.channel, asked)
        if (channel !== message.channel) (message as { channel: string }).channel = channel
        inlet.message(message)
      },
      ping: () => inlet.ping(),
      deleted: (channel, text) => inlet.deleted(this.#asked(channel, asked), text),
      dead: (raw, reason) => inlet.dead(raw, reason),
      over: (ending) => inlet.over(ending),
    }
  }

  #asked(given: string, asked: readonly string[]): string {
    if (asked.includes(given)) {
      this.#given.delete(given)
      return given
    }
    const [found] = asked.filter((name) => given.includes(name)).sort((a, b) => b.length - a.length)
    // A second name for one channel is a channel that nobody asked for.
    if (found === undefined || (this.#given.get(found) ?? given) !== given) return given
    this.#given.set(found, given)
    return found
  }
}
