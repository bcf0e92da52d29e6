import { parseHeaderBuffers } from './header-buffers.js'
import { question } from './suggestions.js'

/**
 * The default of `messageTemplate`: the classic one, with the text in quotes.
 *
 * @example
 * ```ts
 * import { createDevServer, QUOTED_TEMPLATE } from '@pushstream/devserver'
 *
 * const messageTemplate = QUOTED_TEMPLATE.replace('"~text~"', '~text~')
 * const server = createDevServer({ settings: { messageTemplate } })
 * ```
 */
export const QUOTED_TEMPLATE =
  '{"id":~id~,"channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~","eventid":"~event-id~"}'

/**
 * Settings of the store, shared by all locations. `null` is "no limit". Times are milliseconds.
 *
 * @example
 * ```ts
 * import { Store } from '@pushstream/devserver'
 *
 * const store = new Store({ maxMessagesStoredPerChannel: 3, messageTtl: 60_000 })
 * ```
 */
export interface StoreSettings {
  /** `push_stream_channel_deleted_message_text`: text of the -2 message when a DELETE has no body. Default `Channel deleted`. */
  channelDeletedMessageText: string
  /** `push_stream_channel_inactivity_time`, ms, default 30 s: after this an empty channel without subscribers is forgotten, its ids too. Seconds count. */
  channelInactivityTime: number
  /** `push_stream_ping_message_text`: text of streaming's ping, default one space. */
  pingMessageText: string
  /** `push_stream_timeout_with_body`, default off: a long-poll timing out answers 200 with id -3 instead of 304. */
  timeoutWithBody: boolean
  /** `push_stream_message_ttl`, ms, default 30 min: how long a message stays in the store. Seconds count. `null`: for ever. */
  messageTtl: number | null
  /** `push_stream_max_subscribers_per_channel`, default no limit: set it to see the 403. */
  maxSubscribersPerChannel: number | null
  /** `push_stream_max_messages_stored_per_channel`, default 100: the oldest go first. Lower it to see gaps. */
  maxMessagesStoredPerChannel: number | null
  /** `push_stream_max_channel_id_length`, bytes, default 200: longer names get 400. */
  maxChannelIdLength: number | null
  /** `push_stream_max_number_of_channels`, default 10,000: more get 403. */
  maxNumberOfChannels: number | null
  /** `push_stream_max_number_of_wildcard_channels`, default 1,000: more get 403. */
  maxNumberOfWildcardChannels: number | null
  /** `push_stream_wildcard_channel_prefix`, default none: channels that begin so may be subscribed without existing where `authorizedChannelsOnly` is on. */
  wildcardChannelPrefix: string
  /**
   * `push_stream_events_channel_id`, default none: the channel that reports created and destroyed channels, and clients
   * that come and go.
   */
  eventsChannelId: string
  /** nginx's `large_client_header_buffers`, default `4 8k`: a longer request line gets 414, a longer header 400. */
  largeClientHeaderBuffers: string
}

/**
 * Settings of one location. `null` is "not set". Times are milliseconds, sizes bytes.
 *
 * @example
 * ```ts
 * import { createDevServer } from '@pushstream/devserver'
 *
 * const settings = { allowedOrigins: '*', websocketAllowPublish: true }
 * const server = createDevServer({ locations: [{ path: '/ws/', mode: 'websocket', settings }] })
 * ```
 */
export interface LocationSettings {
  /** `push_stream_channels_path` when the path names no channel: the argument to read, default `id` for publishers and statistics, `channels` for subscribers. */
  channelsArgument: string | null
  /** `push_stream_channels_path`, default `$1`: what the path or the argument names stands for `$1`. `shop_$1` makes another channel of it. */
  channelsPath: string
  /**
   * `push_stream_store_messages`, default on. Off: messages reach only those who are connected, but still take an id
   * and a tag.
   */
  storeMessages: boolean
  /** `push_stream_channel_info_on_publish`, default on: off, a publish answers 200 without a body. */
  channelInfoOnPublish: boolean
  /** `push_stream_authorized_channels_only`, default off: on, only channels with a stored message may be subscribed. */
  authorizedChannelsOnly: boolean
  /** `push_stream_header_template`, default none: sent first on every subscription. Eventsource makes comments of its lines. */
  headerTemplate: string
  /** `push_stream_message_template`, default `QUOTED_TEMPLATE` (the module's own default is `~text~`). Nothing is escaped. */
  messageTemplate: string
  /** `push_stream_footer_template`, default none: sent last when the server ends a subscription. */
  footerTemplate: string
  /** `push_stream_wildcard_channel_max_qtd`, default no limit: how many wildcard channels one subscription may name; set, one that names only those is refused. */
  wildcardChannelMaxQtd: number | null
  /** `push_stream_ping_message_interval`, ms, default 10 s: silence before a ping; messages start it anew. `null`: no pings. */
  pingMessageInterval: number | null
  /** `push_stream_subscriber_connection_ttl`, ms, default none: websocket, eventsource and streaming end after this. Set it to rehearse reconnects. */
  subscriberConnectionTtl: number | null
  /** `push_stream_longpolling_connection_ttl`, ms, default 30 s: how long a long-poll waits (the module's default is for ever). */
  longpollingConnectionTtl: number | null
  /** `push_stream_websocket_allow_publish`, default off: a client's text frame is published to all its channels. */
  websocketAllowPublish: boolean
  /** `push_stream_last_received_message_time`: the argument it is bound to, default `time`. `null` leaves it unbound: `If-Modified-Since` is read instead. */
  lastReceivedMessageTime: string | null
  /** `push_stream_last_received_message_tag`: the argument it is bound to, default `tag`. `null`: `If-None-Match` is read instead. */
  lastReceivedMessageTag: string | null
  /** `push_stream_last_event_id`: the argument it is bound to, default `eventid`. `null`: `Last-Event-ID` is read instead. */
  lastEventId: string | null
  /** `push_stream_padding_by_user_agent`, e.g. `MSIE,256,512`: pattern, least bytes of the header, of a message; several are joined by `:`. Default none. */
  paddingByUserAgent: string
  /** `push_stream_allowed_origins`, default none: the value of Access-Control-Allow-Origin. No origin is ever checked. Set `*` when the page comes from another origin. */
  allowedOrigins: string
  /** `push_stream_allow_connections_to_events_channel`, default off. */
  allowConnectionsToEventsChannel: boolean
  /** nginx's `default_type`: the Content-Type of subscriptions, default `text/html; charset=utf-8` when streaming, else `text/plain`. Eventsource has its own. */
  defaultType: string | null
  /** Address that gets a POST of `channel_id` and `subscribe=1` or `unsubscribe=1`, with the subscriber's headers, whenever one comes or goes; 4xx refuses. Default none. No directive of the module. */
  passthrough: string | null
  /** nginx's `client_max_body_size`, bytes, default 8 MiB: a larger publish gets 413, a larger client frame a closed websocket. */
  clientMaxBodySize: number
}

/**
 * All settings. Those of a location may be set for all locations, and again for one.
 *
 * @example
 * ```ts
 * import { createDevServer } from '@pushstream/devserver'
 *
 * const server = createDevServer({ settings: { maxMessagesStoredPerChannel: 3, subscriberConnectionTtl: 60_000 } })
 * ```
 */
export interface Settings extends StoreSettings, LocationSettings {}

/**
 * The defaults of all settings.
 *
 * @example
 * ```ts
 * import { createDevServer, DEFAULT_SETTINGS } from '@pushstream/devserver'
 *
 * const pingMessageInterval = (DEFAULT_SETTINGS.pingMessageInterval ?? 10_000) / 5
 * const server = createDevServer({ settings: { pingMessageInterval } })
 * ```
 */
export const DEFAULT_SETTINGS: Readonly<Settings> = {
  channelDeletedMessageText: 'Channel deleted',
  channelInactivityTime: 30_000,
  pingMessageText: ' ',
  timeoutWithBody: false,
  messageTtl: 30 * 60_000,
  maxSubscribersPerChannel: null,
  maxMessagesStoredPerChannel: 100,
  maxChannelIdLength: 200,
  maxNumberOfChannels: 10_000,
  maxNumberOfWildcardChannels: 1_000,
  wildcardChannelPrefix: '',
  eventsChannelId: '',
  largeClientHeaderBuffers: '4 8k',
  channelsArgument: null,
  channelsPath: '$1',
  storeMessages: true,
  channelInfoOnPublish: true,
  authorizedChannelsOnly: false,
  headerTemplate: '',
  messageTemplate: QUOTED_TEMPLATE,
  footerTemplate: '',
  wildcardChannelMaxQtd: null,
  pingMessageInterval: 10_000,
  subscriberConnectionTtl: null,
  longpollingConnectionTtl: 30_000,
  websocketAllowPublish: false,
  lastReceivedMessageTime: 'time',
  lastReceivedMessageTag: 'tag',
  lastEventId: 'eventid',
  paddingByUserAgent: '',
  allowedOrigins: '',
  allowConnectionsToEventsChannel: false,
  defaultType: null,
  passthrough: null,
  clientMaxBodySize: 8 * 1024 * 1024,
}

const NOT_ZERO = ['pingMessageInterval', 'subscriberConnectionTtl', 'longpollingConnectionTtl'] as const

/** Fills in the defaults, and says at once what nginx would refuse at start. */
export function resolveSettings(...given: Array<Partial<Settings> | undefined>): Settings {
  const settings: Settings = { ...DEFAULT_SETTINGS }
  for (const part of given) {
    for (const [name, value] of Object.entries(part ?? {})) {
      if (!(name in DEFAULT_SETTINGS)) {
        throw new Error(`unknown setting "${name}".${question(name, Object.keys(DEFAULT_SETTINGS))}`)
      }
      if (value !== undefined) Object.assign(settings, { [name]: value })
    }
  }
  for (const name of NOT_ZERO) {
    const value = settings[name]
    if (value !== null && !(value > 0)) throw new Error(`setting "${name}" must be more than 0 ms, or null for none`)
  }
  parseHeaderBuffers(settings.largeClientHeaderBuffers)
  if (!settings.channelsPath.includes('$1')) throw new Error('setting "channelsPath" has no $1 in it')
  if (settings.messageTemplate === '') throw new Error('setting "messageTemplate" must not be empty')
  if (settings.wildcardChannelMaxQtd !== null && settings.wildcardChannelPrefix === '') {
    throw new Error('setting "wildcardChannelMaxQtd" needs a "wildcardChannelPrefix"')
  }
  return settings
}
