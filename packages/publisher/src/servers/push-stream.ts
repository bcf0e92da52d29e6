import { badOption, PublisherError } from '../errors.js'
import { binaryOf, bytesOf, forTemplate, type TemplateText } from '../text.js'
import { Address, checkText, control, headerValue, mediaType, refuseName } from './names.js'
import type { ChannelStats, Server, ServerStats } from './server.js'

/**
 * The configuration of the locations of nginx-push-stream-module. Set what differs from the defaults.
 *
 * @example
 * ```ts
 * import { Publisher, pushStreamServer } from '@pushstream/publisher'
 *
 * const server = pushStreamServer({ publisher: '/publish/{channel}', text: 'raw' })
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080', server })
 * ```
 */
export interface PushStreamServerSettings {
  /**
   * The location of `push_stream_publisher`, below the publisher's address. `{channel}` stands where
   * `push_stream_channels_path` finds the name, in the query or in the path. Default `/pub?id={channel}`.
   */
  publisher?: string
  /** The location of `push_stream_channels_statistics`. Default `/channels-stats?id={channel}`. */
  statistics?: string
  /**
   * How `~text~` stands in `push_stream_message_template`: `quoted` (`"text":"~text~"`, the default), `raw`
   * (`"text":~text~`), or `alone` (`~text~` is the whole template). A text that would break it is percent-encoded, which
   * clients undo (their `text: 'auto'` or `'encoded'`).
   */
  text?: TemplateText
  /**
   * The message that `open` publishes. A channel of the module exists only by its messages: with
   * `push_stream_authorized_channels_only`, pages may subscribe as long as it stores one. Pages get it like any
   * message. Default `{ type: 'open' }`.
   */
  opening?: unknown
}

const known = new Set(['publisher', 'statistics', 'text', 'opening'])
const texts = ['quoted', 'raw', 'alone']
const accept = { Accept: 'application/json' }

/** As the module reads it back: a path is percent-decoded twice, an argument once. */
function encoded(name: string, inPath: boolean): string {
  const once = encodeURIComponent(name)
  const whole = !inPath ? once : /^\.+$/.test(name) ? name.replaceAll('.', '%252E') : once.replaceAll('%25', '%2525')
  // What looks like a backtrack would be taken off the name.
  return /\.b\d+$/.test(name) ? `${whole}.b0` : whole
}

// Pages make channels of any name by subscribing. The line end between two entries is hard to get into one.
const entry =
  /\{"channel": "([^]*?)", "published_messages": (\d+), "stored_messages": (\d+), "subscribers": (\d+)\}(?=\s*$|,\r\n\{"channel": "|\r\n\])/g

function channelsOf(body: string): ChannelStats[] | undefined {
  // Names stand there as they are, whatever they have in them: this is no JSON to rely on.
  const channels: ChannelStats[] = []
  for (const [, channel = '', published, stored, subscribers] of body.matchAll(entry)) {
    channels.push({
      channel,
      published: Number(published),
      stored: Number(stored),
      subscribers: Number(subscribers),
      lastMessageId: undefined,
    })
  }
  return channels.length > 0 || /^\{"hostname": /.test(body) ? channels : undefined
}

function serverOf(body: string): ServerStats | undefined {
  const number = (name: string) => {
    const found = new RegExp(`"${name}": (\\d+)`).exec(body)
    return found === null ? undefined : Number(found[1])
  }
  if (!/^\{"hostname": /.test(body)) return undefined
  return {
    channels: number('channels'),
    published: number('published_messages'),
    stored: number('stored_messages'),
    subscribers: number('subscribers'),
    uptime: number('uptime'),
  }
}

/**
 * For nginx with the push stream module.
 *
 * @example
 * ```ts
 * import { Publisher, pushStreamServer } from '@pushstream/publisher'
 *
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080', server: pushStreamServer() })
 * ```
 */
export function pushStreamServer(settings: PushStreamServerSettings = {}): Server {
  for (const name of Object.keys(settings)) {
    if (!known.has(name)) throw badOption(`pushStreamServer has no setting '${name}'.`)
  }
  const publisher = new Address(settings.publisher ?? '/pub?id={channel}', 'publisher', badOption)
  const statistics = new Address(settings.statistics ?? '/channels-stats?id={channel}', 'statistics', badOption)
  const { text = 'quoted', opening = { type: 'open' } } = settings
  if (!texts.includes(text)) throw badOption(`'text' of pushStreamServer is 'quoted', 'raw' or 'alone'.`)
  const pathOf = (address: Address, channels: readonly string[]) =>
    address.with(channels.map((name) => encoded(name, address.inPath)).join('/'))

  /** push_stream_channels_path makes other names of these: of several, of the first or the last one alone. */
  let renames = false

  return {
    name: 'push-stream',
    get together() {
      return !renames
    },
    opening,
    tells: true,
    // push_stream_channel_info_on_publish off.
    silent: (body) => body.trim() === '',

    check(channel) {
      checkText(channel)
      if (/[/?]/.test(channel)) refuseName(channel, `can't contain '/' or '?', the server has no way to read them`)
      // One at the end lets a worker of the module (b1c1a08) loop for ever.
      if (control.test(channel)) refuseName(channel, 'has no control characters')
      if (channel === 'ALL' || channel.includes('*')) refuseName(channel, `is not 'ALL', and has no '*' in it`)
    },

    publish(channels, data, { eventId, eventType, contentType, ttl }) {
      if (ttl !== undefined) {
        throw new PublisherError('unsupported', `The module keeps messages as push_stream_message_ttl says: no 'ttl'.`)
      }
      if (binaryOf(data) !== undefined) {
        throw new PublisherError('bad-data', 'The module puts texts into its template: publish bytes as base64.')
      }
      const body = bytesOf(forTemplate(data, text))
      if (body.length === 0) {
        throw new PublisherError('bad-data', 'The module takes no empty messages. Publish an object, or a space.')
      }
      return {
        method: 'POST',
        path: pathOf(publisher, channels),
        headers: {
          ...accept,
          ...(contentType !== undefined && { 'Content-Type': mediaType(contentType, badOption) }),
          ...(eventId !== undefined && { 'Event-Id': headerValue(eventId, 'eventId', badOption) }),
          ...(eventType !== undefined && { 'Event-Type': headerValue(eventType, 'eventType', badOption) }),
        },
        body,
      }
    },

    create: () => undefined,

    remove: (channel, told) => ({
      method: 'DELETE',
      path: pathOf(publisher, [channel]),
      headers: accept,
      body: told === undefined || told === '' ? undefined : bytesOf(forTemplate(told, text)),
    }),

    info: (channel) => ({ method: 'GET', path: pathOf(publisher, [channel]), headers: accept }),

    list(prefix) {
      if (/[/?*]/.test(prefix) || control.test(prefix)) {
        refuseName(prefix, `begins without '/', '?', '*' and control characters`)
      }
      const name = prefix === '' ? 'ALL' : `${encoded(prefix, statistics.inPath).replace(/\.b0$/, '')}*`
      return { method: 'GET', path: statistics.with(name), headers: accept }
    },

    summary: () => ({ method: 'GET', path: statistics.with(''), headers: accept }),

    channelsOf(body, asked) {
      const channels = channelsOf(body)
      // Another name has the one asked for in it. Whatever else is said is about another channel.
      const other = ({ channel }: ChannelStats, name = '') => channel !== name && name !== '' && channel.includes(name)
      if (channels?.length !== asked.length || !channels.some((one, i) => other(one, asked[i]))) return channels
      renames = true
      return asked.length === 1 ? channels.map((one) => ({ ...one, channel: asked[0] as string })) : channels
    },
    serverOf,
  }
}
