import { numbered } from '../delivery/order.js'
import { utf8Header } from '../header.js'
import { positionOf, tagOf, timeOf } from '../position.js'
import type { CloseReason, Exchange, Position, Symptom } from '../types.js'
import { checkName, refuse } from './names.js'
import type { Classified, ProtocolFactory, RequestKind, Subscription, Wanted } from './protocol.js'
import { createDecoder } from './push-stream-decoder.js'
import { Frames } from './push-stream-frames.js'
import { type Naming, namedBy } from './renamed.js'
import type { MessageTemplate, TemplateKeys } from './template.js'
import { type TextEncoding, textReader } from './text.js'

/** How the server's nginx is configured, where that is not the usual. */
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
   * push_stream_message_template as nginx has it, read by {@link messageTemplate}. Only needed where it is not JSON, or has
   * its keys in an unusual order and gets bodies that break the JSON: then its shape is what finds the text. And where it
   * names no channel: then every channel has a connection of its own. Default: JSON with the keys above.
   */
  messageTemplate?: MessageTemplate
  /** How texts are read: `auto` (default), `encoded` or `plain`. */
  text?: TextEncoding
}

const backtracked = /\.b\d+$/
/** Every answer of the module has it, to every request of a subscriber. */
const expires = 'Thu, 01 Jan 1970 00:00:01 GMT'

/** What an answer is that the module does not give. A proxy may change what it says of caches. */
const foreignIn =
  (kind: RequestKind) =>
  (headers: Headers): Symptom | undefined => {
    if (headers.get('Vary')?.includes('If-None-Match')) return 'nchan'
    const known =
      kind === 'stream'
        ? !headers.has('Content-Length') && !/html|json|^$/.test(headers.get('Content-Type') ?? '')
        : headers.has('Last-Modified') && !headers.get('ETag')?.includes('"')
    return known || headers.get('Expires') === expires ? undefined : 'foreign'
  }

// The server treats these as its own trouble, not as the channel's.
const temporary = /limit|exceeded/i

/**
 * A name as the server reads it back: a path is percent-decoded twice, an argument once. A name that ends like a
 * backtrack gets one of 0, or its end would be taken for one.
 */
function encodeName({ name, backtrack }: Wanted, inPath: boolean): string {
  let encoded = encodeURIComponent(name)
  // What a browser would resolve as a step in the path is hidden from it.
  if (inPath) encoded = /^\.+$/.test(name) ? name.replaceAll('.', '%252E') : encoded.replaceAll('%25', '%2525')
  return encoded + (backtrack ? `.b${backtrack}` : backtracked.test(name) ? '.b0' : '')
}

function actionOf(
  { kind }: CloseReason,
  status: number | undefined,
  explain: string | undefined,
): Classified['action'] {
  if (kind === 'end') return 'reconnect'
  if (kind === 'invalid') return 'unsupported'
  if (status === undefined || (explain !== undefined && temporary.test(explain))) return 'backoff'
  if (status === 404 || status === 405 || status === 426 || status === 501) return 'unsupported'
  return status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429 ? 'rejected' : 'backoff'
}

function explanationOf({ kind, status, explain }: CloseReason): {
  status?: number | undefined
  explain?: string | undefined
} {
  if (kind === 'status') return { status, explain }
  if (kind !== 'close' || status !== 1008) return { explain }
  // The socket was let in before it was refused; the status it would have had is in the reason.
  const found = /"http_status":\s*(\d+),\s*"explain":\s*"([^]*)"/.exec(explain ?? '')
  return found === null ? { explain } : { status: Number(found[1]), explain: found[2] as string }
}

/** The protocol of nginx-push-stream-module. */
export const pushStream =
  (settings: PushStreamSettings, naming?: Naming): ProtocolFactory =>
  (endpoint) => {
    /** The server gives channels other names. */
    let renames = false
    const named =
      naming ??
      namedBy(() => {
        renames = true
      })
    const byArgument = settings.channelsByArgument ?? false
    const control = settings.messagesControlByArgument
    const prefixes: Record<RequestKind, string> = {
      websocket: settings.urlPrefixWebsocket ?? '/ws',
      eventsource: settings.urlPrefixEventsource ?? '/ev',
      stream: settings.urlPrefixStream ?? '/sub',
      longpolling: settings.urlPrefixLongpolling ?? '/lp',
      // A long-polling location can't be talked into answering at once; an eventsource location can.
      poll: settings.urlPrefixEventsource ?? '/ev',
    }
    const keys: TemplateKeys = {
      id: settings.jsonIdKey ?? 'id',
      channel: settings.jsonChannelKey ?? 'channel',
      text: settings.jsonTextKey ?? 'text',
      tag: settings.jsonTagKey ?? 'tag',
      time: settings.jsonTimeKey ?? 'time',
      eventId: settings.jsonEventIdKey ?? 'eventid',
    }
    const template = settings.messageTemplate
    const frames = new Frames(keys, template, textReader(settings.text ?? 'auto'))

    /** A prefix as it is written: a location with a slash at its end is another one than without. */
    const below = (prefix: string, query: string) => {
      const path = `${endpoint.base}/${prefix.replace(/^\/+/, '')}`
      return query ? path + (path.includes('?') ? '&' : '?') + query : path
    }
    const address = (prefix: string, channels: readonly Wanted[], query: Record<string, string>) => {
      const names = channels.map((channel) => encodeName(channel, !byArgument)).join(byArgument ? '%2F' : '/')
      const pairs = Object.entries(query).map(
        ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
      )
      if (byArgument) pairs.unshift(`${settings.channelsArgument ?? 'channels'}=${names}`)
      return below(byArgument ? prefix : `${prefix.replace(/\/+$/, '')}/${names}`, pairs.join('&'))
    }

    return {
      capabilities: {
        modes: ['websocket', 'eventsource', 'stream', 'longpolling'],
        // A frame that doesn't say which channel it is of: then the connection does.
        get channelsPerConnection() {
          return frames.unnamed || renames ? 1 : Number.POSITIVE_INFINITY
        },
        schedulePolls: frames.unnamed ? template?.schedulePolls : undefined,
        // A long-polling location can't be talked into answering at once. An eventsource location can, by a header that
        // the module lets no page of another origin send.
        oneShot: endpoint.sameOrigin
          ? { eventsource: 'poll', longpolling: 'longpolling' }
          : { longpolling: 'longpolling' },
        lastMessage: true,
        // Pages of other origins may only use GET, and what needs no leave.
        probe: endpoint.sameOrigin ? 'OPTIONS' : 'HEAD',
      },
      order:
        template && !frames.boundary
          ? { ...numbered, echo: (_, events) => template.createSplitter(events, frames) }
          : numbered,
      get promises() {
        return frames.promises
      },

      check(channel) {
        checkName(channel)
        // However they are encoded: a slash separates channels, and a question mark ends the server's decoding. A line end
        // keeps one of its workers busy for ever.
        if (/[/?\p{Cc}]/u.test(channel)) {
          refuse(channel, `can't contain '/', '?' or control characters, the server has no way to read them`)
        }
      },

      exchange(kind, { channels, position, eventId, params, headers }: Subscription): Exchange {
        const query = { ...params }
        const head = { ...headers }
        const time = position === undefined ? undefined : new Date(timeOf(position)).toUTCString()
        if (control !== false) {
          if (position !== undefined && time !== undefined) {
            query[settings.timeArgument ?? 'time'] = time
            query[settings.tagArgument ?? 'tag'] = String(tagOf(position))
          } else if (eventId !== undefined) query[settings.eventIdArgument ?? 'eventid'] = eventId
        }
        if (kind !== 'websocket' && (control === false || (control === undefined && endpoint.sameOrigin))) {
          // If-None-Match is never sent alone: nginx would turn a message into a 304.
          if (position !== undefined && time !== undefined) {
            head['If-Modified-Since'] = time
            head['If-None-Match'] = `W/${tagOf(position)}`
          } else if (eventId !== undefined) head['Last-Event-ID'] = utf8Header(eventId)
        }
        if (kind === 'poll') head['X-Nginx-PushStream-Mode'] = 'polling'
        const url = address(prefixes[kind], channels, query)
        return {
          url: kind === 'websocket' ? url.replace(/^http/, 'ws') : url,
          headers: head,
          credentials: endpoint.credentials,
          ...(kind === 'poll' ? { framing: 'eventsource' as const } : {}),
          // A stream of events has a type of its own.
          ...(kind === 'eventsource' ? {} : { foreign: foreignIn(kind) }),
        }
      },

      decoder(context, events) {
        const decoder = createDecoder(frames, context, named(context.channels, events))
        return {
          ...decoder,
          pulse(text) {
            if (text.trim() === 'hi') events.over({ kind: 'invalid', symptom: 'nchan' })
            else decoder.pulse(text)
          },
        }
      },

      classify(ending: CloseReason) {
        const { status, explain } = explanationOf(ending)
        // push_stream_wildcard_channel_max_qtd
        const wantsCompany = explain?.includes('wildcard')
        return { action: actionOf(ending, status, explain), status, explain, ...(wantsCompany && { wantsCompany }) }
      },

      positionOf({ headers }): Position | undefined {
        const time = Date.parse(headers.get('Last-Modified') ?? '')
        return Number.isNaN(time)
          ? undefined
          : positionOf(time, Number(/\d+/.exec(headers.get('Etag') ?? '')?.[0] ?? 0))
      },

      publish(channels, text) {
        const names = channels.map((name) => encodeName({ name }, false)).join('/')
        const url = below(settings.urlPrefixPublisher ?? '/pub', `id=${names}`)
        // As the template needs it.
        const body = encodeURIComponent(text)
        return { url, body, frame: body }
      },
    }
  }
