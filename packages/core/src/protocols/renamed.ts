import type { Inlet } from './protocol.js'

/** Hands on what came for channels, or makes it ready to be handed on. */
export type Naming = (asked: readonly string[], inlet: Inlet) => Inlet

/**
 * Hands frames on under the names that were asked for. A server may give channels others (push_stream_channels_path
 * `shop_$1`), and the first of several alone. So only a connection for one channel is sure which one its messages are of.
 *
 * @param found is called when a frame has a name that was not asked for.
 */
export const namedBy =
  (found: () => void): Naming =>
  (asked, inlet) => {
    const [only] = asked.length === 1 ? asked : []
    const known = new Set(asked)
    const name = (given: string): string | undefined => {
      if (known.has(given) || known.size === 0) return given
      if (given !== '') found()
      return only
    }
    return {
      ...inlet,
      message(message) {
        const channel = name(message.channel)
        if (channel === undefined) return inlet.dead(String(message.body), `the server calls it ${message.channel}`)
        if (channel !== message.channel) (message as { channel: string }).channel = channel
        inlet.message(message)
      },
      deleted: (channel, text) => inlet.deleted(name(channel) ?? channel, text),
    }
  }
