import type { MessageTemplate } from './template.js'
import type { TextEncoding } from './text.js'

/**
 * The configuration of the server's nginx. Set what differs from the defaults.
 *
 * @example
 * ```ts
 * import { messageTemplate, PushStream } from '@pushstream/core'
 *
 * const stream = new PushStream({
 *   urlPrefixWebsocket: '/events/ws', // location ~ ^/events/ws/(.*)
 *   tagArgument: 'etag', // push_stream_last_received_message_tag $arg_etag;
 *   messageTemplate: messageTemplate('<~id~|~channel~> ~text~'),
 * })
 * ```
 */
export interface PushStreamSettings {
  /** Location of `push_stream_subscriber websocket`. Default `/ws`. */
  urlPrefixWebsocket?: string
  /** Location of `push_stream_subscriber eventsource`. Default `/ev`. If `modes` lists it, connections are checked here too. */
  urlPrefixEventsource?: string
  /** Location of `push_stream_subscriber long-polling`. Default `/lp`. */
  urlPrefixLongpolling?: string
  /** Location of `push_stream_subscriber streaming`. Default `/sub`. */
  urlPrefixStream?: string
  /** Location of `push_stream_publisher`, for `sendMessage`. Default `/pub`. */
  urlPrefixPublisher?: string
  /** Name the channels in the query (`push_stream_channels_path $arg_channels`) instead of the path. Default false. */
  channelsByArgument?: boolean
  /** The query argument for that. Default `channels`. */
  channelsArgument?: string
  /**
   * `true`: the position goes only into the query (push_stream_last_received_message_time `$arg_time` and so on).
   * `false`: only into headers, for locations without these directives; a websocket can't resume then. Default: both,
   * headers only towards the page's own origin, where they cost no preflight.
   */
  messagesControlByArgument?: boolean
  /** Query argument of push_stream_last_received_message_tag. Default `tag`. */
  tagArgument?: string
  /** Query argument of push_stream_last_received_message_time. Default `time`. */
  timeArgument?: string
  /** Query argument of push_stream_last_event_id. Default `eventid`. */
  eventIdArgument?: string
  /** JSON key of `~id~` in push_stream_message_template. Default `id`. */
  jsonIdKey?: string
  /** JSON key of `~channel~`. Default `channel`. */
  jsonChannelKey?: string
  /** JSON key of `~text~`. Default `text`. */
  jsonTextKey?: string
  /** JSON key of `~tag~`. Default `tag`. */
  jsonTagKey?: string
  /** JSON key of `~time~`. Default `time`. */
  jsonTimeKey?: string
  /** JSON key of `~event-id~`. Default `eventid`. */
  jsonEventIdKey?: string
  /**
   * push_stream_message_template as nginx has it, read by {@link messageTemplate}. Set it if the template is not JSON,
   * or if bodies may break the JSON and its keys have an unusual order. Set it also if the template names no channel:
   * then every channel has a connection of its own. Default: JSON with the keys above.
   */
  messageTemplate?: MessageTemplate
  /** How texts are read: `auto` (default), `encoded` or `plain`. */
  text?: TextEncoding
}
