import { badOption, PublisherError } from '../errors.js'
import { binaryOf, bytesOf, serialized } from '../text.js'
import { Address, checkText, control, headerValue, mediaType, refuseName } from './names.js'
import type { ChannelStats, Server, ServerStats } from './server.js'

/**
 * The configuration of Nchan's locations. Set what differs from the defaults.
 *
 * @example
 * ```ts
 * import { nchanServer, Publisher } from '@pushstream/publisher'
 *
 * const server = nchanServer({ publisher: '/pub?id={channel}', separator: ',', ttlArgument: 'ttl' })
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080', server })
 * ```
 */
export interface NchanServerSettings {
  /** The location of `nchan_publisher`. `{channel}` stands for the name, in the path or in the query. Default `/pub/{channel}`. */
  publisher?: string
  /**
   * The separator of several names (`nchan_channel_id_split_delimiter` of the publisher's location). Default: none, and
   * a request for each channel.
   */
  separator?: string
  /** The location of `nchan_stub_status`, for `stats()`. Default `/nchan_stub_status`. */
  status?: string
  /**
   * The query argument for the option `ttl` of a message: `ttl` if the publisher's location has `nchan_message_timeout
   * $arg_ttl`. Default: none, and `ttl` is refused.
   */
  ttlArgument?: string
  /** The message that `open` publishes. A channel of Nchan exists only by its messages. Default `{ type: 'open' }`. */
  opening?: unknown
}

/**
 * The configuration of a relay's locations. Set what differs from the defaults.
 *
 * @example
 * ```ts
 * import { relayServer } from '@pushstream/publisher'
 *
 * const server = relayServer({ publisher: '/send-update/{channel}', opening: { type: 'open' } })
 * ```
 */
export interface RelayServerSettings {
  /**
   * The publisher's location. `{channel}` stands for the name, in the path or in the query. Default
   * `/publish?id={channel}`.
   */
  publisher?: string
  /**
   * The message that `open` publishes, if the relay creates a channel only by a message. Default: none, and `open` is a
   * `PUT` without a body, by which Basic HTTP Push Relays create a channel.
   */
  opening?: unknown
}

const accept = { Accept: 'text/json' }

const unsupported = (message: string) => new PublisherError('unsupported', message)

/** How many messages and how many subscribers a description of Nchan, or of the older module, has. */
function describes(body: string): RegExpExecArray | undefined {
  const fields = /"messages": *(\d+)[^]*"subscribers": *(\d+)/.exec(body)
  return fields ?? /queued messages: *(\d+)[^]*active subscribers: *(\d+)/.exec(body) ?? undefined
}

function channelsOf(body: string, asked: readonly string[]): ChannelStats[] | undefined {
  const found = describes(body)
  if (found === undefined) return undefined
  const lastMessageId = /last[_ ]message[_ ]id"?: *"?([^"\s]+)/.exec(body)?.[1]
  // The numbers of several channels are their sums, and tell nothing of one.
  const alone = asked.length === 1
  return asked.map((channel) => ({
    channel,
    published: undefined,
    stored: alone ? Number(found[1]) : undefined,
    subscribers: alone ? Number(found[2]) : undefined,
    lastMessageId: alone ? lastMessageId : undefined,
  }))
}

function serverOf(body: string): ServerStats | undefined {
  const number = (what: string) => {
    const found = new RegExp(`^${what}: *(\\d+)`, 'm').exec(body)
    return found === null ? undefined : Number(found[1])
  }
  const published = number('total published messages')
  return published === undefined
    ? undefined
    : {
        channels: number('channels'),
        published,
        stored: number('stored messages'),
        subscribers: number('subscribers'),
        uptime: undefined,
      }
}

function fillIn(
  name: 'nchan' | 'relay',
  address: Address,
  {
    separator,
    opening,
    status,
    ttlArgument,
  }: Pick<NchanServerSettings, 'separator' | 'opening' | 'status' | 'ttlArgument'>,
): Server {
  const pathOf = (channels: readonly string[]) =>
    address.with(channels.map(encodeURIComponent).join(encodeURIComponent(separator ?? '')))
  const relay = name === 'relay'
  return {
    name,
    together: separator !== undefined,
    opening,
    tells: !relay,
    // Of relays no more is known than that they are no pages.
    silent: (body) => (relay ? !/<html|<!doctype/i.test(body) && !describes(body) : body === ''),

    check(channel) {
      checkText(channel)
      // To a location's expression, '$' is also before a line end: a message for 'x\n' would be one for 'x'.
      if (control.test(channel)) refuseName(channel, 'has no control characters')
      if (address.inPath && /^\/|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/.test(channel)) {
        refuseName(channel, 'has no steps of a path that are empty or only dots')
      }
      // nginx doesn't decode arguments: pages that name it in a path would mean another.
      if (!address.inPath && encodeURIComponent(channel) !== channel) {
        refuseName(channel, "in a query is made of letters, digits and - _ . ! ~ * ' ( )")
      }
      if (separator && channel.includes(separator)) refuseName(channel, `can't contain the separator '${separator}'`)
    },

    publish(channels, data, { eventId, eventType, contentType, ttl }) {
      if (eventId !== undefined) throw unsupported(`Only the push stream module has an 'eventId'.`)
      if (ttl !== undefined && ttlArgument === undefined) {
        throw unsupported(`Set 'ttlArgument', and nchan_message_timeout to that argument, to use 'ttl'.`)
      }
      if (ttl !== undefined && !(Number.isInteger(ttl) && ttl > 0))
        throw badOption(`'ttl' is a whole number of seconds.`)
      const binary = binaryOf(data)
      const { text, json } = binary ? { text: '', json: false } : serialized(data)
      const given = contentType === undefined ? undefined : mediaType(contentType, badOption)
      const type = given ?? (json ? 'application/json' : undefined)
      const path = pathOf(channels)
      return {
        method: 'POST',
        path: ttl === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}${ttlArgument}=${ttl}`,
        headers: {
          ...accept,
          ...(type !== undefined && { 'Content-Type': type }),
          ...(eventType !== undefined && { 'X-EventSource-Event': headerValue(eventType, 'eventType', badOption) }),
        },
        body: binary ?? bytesOf(text),
      }
    },

    create: (channel) =>
      relay && opening === undefined
        ? { method: 'PUT', path: pathOf([channel]), headers: accept, body: new Uint8Array() }
        : undefined,

    remove: (channel) => ({ method: 'DELETE', path: pathOf([channel]), headers: accept }),
    info: (channel) => ({ method: 'GET', path: pathOf([channel]), headers: accept }),

    list() {
      throw unsupported(`${name} can't list its channels. Name them.`)
    },

    summary() {
      if (status === undefined) throw unsupported(`${name} has no statistics of the whole server.`)
      return { method: 'GET', path: status.startsWith('/') ? status : `/${status}`, headers: {} }
    },

    channelsOf,
    serverOf,
  }
}

function checkSettings(name: string, settings: object, known: readonly string[]): void {
  for (const setting of Object.keys(settings)) {
    if (!known.includes(setting)) throw badOption(`${name} has no setting '${setting}'.`)
  }
}

/**
 * For nginx with Nchan.
 *
 * @example
 * ```ts
 * import { nchanServer, Publisher } from '@pushstream/publisher'
 *
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080', server: nchanServer() })
 * ```
 */
export function nchanServer(settings: NchanServerSettings = {}): Server {
  checkSettings('nchanServer', settings, ['publisher', 'separator', 'status', 'ttlArgument', 'opening'])
  const { publisher = '/pub/{channel}', status = '/nchan_stub_status', opening = { type: 'open' } } = settings
  if (settings.separator === '') throw badOption(`'separator' of nchanServer is at least one character.`)
  const { separator, ttlArgument } = settings
  return fillIn('nchan', new Address(publisher, 'publisher', badOption), {
    opening,
    status,
    ...(separator !== undefined && { separator }),
    ...(ttlArgument !== undefined && { ttlArgument }),
  })
}

/**
 * For servers of the Basic HTTP Push Relay Protocol, such as the older Nginx HTTP Push Module.
 *
 * @example
 * ```ts
 * import { Publisher, relayServer } from '@pushstream/publisher'
 *
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080', server: relayServer() })
 * ```
 */
export function relayServer(settings: RelayServerSettings = {}): Server {
  checkSettings('relayServer', settings, ['publisher', 'opening'])
  const { publisher = '/publish?id={channel}', opening } = settings
  return fillIn('relay', new Address(publisher, 'publisher', badOption), { opening })
}
