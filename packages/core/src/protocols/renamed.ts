import type { DecoderEvents } from './protocol.js'

/** Hands on what came for channels, or makes it ready to be handed on. */
export type Naming = (asked: readonly string[], events: DecoderEvents) => DecoderEvents

/**
 * Hands frames on under the names that were asked for. A server may give channels others (push_stream_channels_path
 * `shop_$1`), and the first of several alone. So only a connection for one channel is sure which one its messages are of.
 *
 * @param found is called when a frame has a name that was not asked for.
 */
export const namedBy =
  (found: () => void): Naming =>
  (asked, events) => {
    const [only] = asked.length === 1 ? asked : []
    const known = new Set(asked)
    const name = (given: string): string | undefined => {
      if (known.has(given) || known.size === 0) return given
      if (given !== '') found()
      return only
    }
    return {
      ...events,
      message(message) {
        const channel = name(message.channel)
        if (channel === undefined) return events.dead(String(message.body), `the server calls it ${message.channel}`)
        ;(message as { channel: string }).channel = channel
        events.message(message)
      },
      deleted: (channel, text) => events.deleted(name(channel) ?? channel, text),
    }
  }
