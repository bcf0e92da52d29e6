import type { DecoderEvents } from '../protocols/protocol.js'

/**
 * Maps the page's channel names to those of the server. A configuration may rename channels
 * (`push_stream_channels_path "user_$1"`): the page asks for `x`, and the messages are of `user_x`.
 */
export class ServerNames {
  /** The server's names, by those of the page. */
  readonly #given = new Map<string, string>()

  /** The server's name of a channel. */
  of(asked: string): string {
    return this.#given.get(asked) ?? asked
  }

  /** Passes frames on under the page's names. */
  events(asked: readonly string[], events: DecoderEvents): DecoderEvents {
    return {
      ...events,
      message: (message) => {
        const channel = this.#asked(message.channel, asked)
        if (channel !== message.channel) (message as { channel: string }).channel = channel
        events.message(message)
      },
      deleted: (channel, text) => events.deleted(this.#asked(channel, asked), text),
    }
  }

  #asked(given: string, asked: readonly string[]): string {
    if (asked.includes(given)) {
      this.#given.delete(given)
      return given
    }
    const [found] = asked.filter((name) => given.includes(name)).sort((a, b) => b.length - a.length)
    // A second name that fits is of another channel, which the page did not ask for.
    if (found === undefined || (this.#given.get(found) ?? given) !== given) return given
    this.#given.set(found, given)
    return found
  }
}
