import { unnumbered } from '../delivery/unnumbered.js'
import { PushStreamError } from '../errors.js'
import { IncomingMessage } from '../message.js'
import { everything, positionOf, secondOf, tagOf, timeOf } from '../position.js'
import type { CloseReason, FrameMeta, ModeName, Position } from '../types.js'
import { refuseForeign } from './foreign.js'
import { createMultipart, headersOf, type Part } from './multipart.js'
import { checkName, refuse, steps } from './names.js'
import { createPollScheduler } from './poll-scheduler.js'
import type { Classified, Decoder, DecoderContext, DecoderEvents, ProtocolFactory } from './protocol.js'

/** How Nchan's locations are set up, where that is not the usual. */
export interface NchanSettings {
  /**
   * The location of `nchan_subscriber`, below the client's address: `{channel}` stands for the name, in the path or in
   * the query (`/sub?id={channel}`). Or a function of the names and the mode, which encodes the names itself. It is given
   * one name, or all of them with `separator`. Default `/sub/{channel}`.
   */
  url?: string | ((channels: readonly string[], mode: ModeName) => string)
  /**
   * What stands between several names in one address (`nchan_channel_id_split_delimiter`). With it all channels come by
   * one connection, and are resumed together: with several nginx workers and the memory store, Nchan then loses messages
   * that no client can know of. Default: none, and a connection for each channel.
   */
  separator?: string
  /**
   * Where the position goes: `query` (`?last_event_id=`), or `headers` (`If-Modified-Since`, `If-None-Match`) for the
   * older Nginx HTTP Push Module and other Basic HTTP Push Relays, which know nothing else. Default `query`.
   */
  position?: 'query' | 'headers'
  /**
   * Whether a channel that is refused with 403 is asked for again, with back-off: for `nchan_max_channel_subscribers` and
   * `nchan_subscribe_existing_channels_only`, which Nchan answers like a refusal for good. Default false.
   */
  retry?: boolean
  /** The location of `nchan_publisher`, for `sendMessage`. Default `/pub/{channel}`. */
  publisher?: string
}

/** The subprotocol with which websocket messages have ids. The server wants it first. */
const withMeta = 'ws+meta.nchan'
/** After everything of a second. */
const lastTag = 32767
const statusWords = /^\s*([345]\d\d)\b/

/** A position from an id's second and the counter in it, from 0. */
const placeOf = (second: number, tag: number): Position => positionOf(second * 1000, tag + 1)

/** Which of several channels an id belongs to, and the counter there. `[2],0,-` is 2 of the first. */
function tagsOf(text: string): { index: number; tag: number } {
  const tags = text.split(',')
  const index = tags.length === 1 ? 0 : tags.findIndex((tag) => tag.includes('['))
  return { index, tag: Number.parseInt(tags[index]?.replace('[', '') ?? '', 10) }
}

/** What an answer is that Nchan does not give. */
const foreignIn = (mode: ModeName) => (headers: Headers) => {
  if (mode === 'stream') return /html|json|plain|^$/.test(headers.get('Content-Type') ?? '') ? 'foreign' : undefined
  const etag = headers.get('Etag') ?? ''
  if (/^W\/\d/.test(etag)) return 'module'
  return /[a-z]/i.test(etag.replace(/^W\//, '')) ? 'foreign' : undefined
}

function actionOf(kind: CloseReason['kind'], status: number | undefined): Classified['action'] {
  if (kind === 'end' || status === 410 || status === 408) return 'reconnect'
  if (kind === 'invalid') return 'unsupported'
  if (kind !== 'status' || status === undefined) return 'backoff'
  if (status === 405 || status === 406 || status === 426 || status === 501) return 'unsupported'
  return status >= 300 && status < 500 && ![409, 425, 429].includes(status) ? 'rejected' : 'backoff'
}

/**
 * The protocol of Nchan, and of the older Nginx HTTP Push Module. Nothing on Nchan's wire shows that a message is
 * missing, so the client resumes each channel with some overlap, and where nothing known comes again it announces a
 * `gap` without ids.
 */
export const nchan = (settings: NchanSettings = {}): ProtocolFactory => {
  const { url = '/sub/{channel}', separator, position: where = 'query', retry, publisher = '/pub/{channel}' } = settings
  const wrong = (message: string) => {
    throw new PushStreamError('bad-option', message)
  }
  if (typeof url !== 'function' && !(typeof url === 'string' && url.includes('{channel}'))) {
    wrong(`'url' of nchan takes an address with {channel} in it, or a function.`)
  }
  if (where !== 'query' && where !== 'headers') wrong(`'position' of nchan is 'query' or 'headers'.`)

  return (endpoint) => {
    refuseForeign('nchan', endpoint.options)
    const together = separator !== undefined
    /** The last message of a long-poll for several channels, and which they were. */
    let told: { position: Position; id: string; names: string } | undefined

    const fill = (template: string, names: readonly string[]) =>
      template.replaceAll('{channel}', names.map(encodeURIComponent).join(encodeURIComponent(separator ?? '')))
    const absolute = (path: string) => (/^https?:/.test(path) ? path : `${endpoint.base}/${path.replace(/^\/+/, '')}`)

    /** The id after which everything is asked for. */
    const idOf = (position: Position, names: readonly string[]): string => {
      const second = timeOf(position) / 1000
      if (together) {
        // Only a poll that goes on has a counter. What begins has a whole second, so that something known comes first.
        const last = tagOf(position) > 0 && told?.names === names.join() ? told : undefined
        return last && last.position >= secondOf(position) ? last.id : `${second}:[-]${',-'.repeat(names.length - 1)}`
      }
      if (position === everything) return '0:0'
      const tag = tagOf(position)
      return tag === 0 ? `${second - 1}:${lastTag}` : `${second}:${tag - 1}`
    }

    const answerOf = (headers: Headers) => {
      const time = Date.parse(headers.get('Last-Modified') ?? '')
      // Where a proxy takes the Etag away, relays write it here as well.
      const etag = headers.get('Etag') ?? /(?:^|[\s,])etag=([^\s,]+)/.exec(headers.get('Cache-Control') ?? '')?.[1]
      return Number.isNaN(time) || etag == null ? undefined : { second: time / 1000, etag: etag.replace(/^W\/|"/g, '') }
    }

    return {
      capabilities: {
        modes: ['websocket', 'eventsource', 'stream', 'longpolling'],
        channelsPerConnection: together ? Number.POSITIVE_INFINITY : 1,
        schedulePolls: together ? undefined : createPollScheduler,
        oneShot: {},
        lastMessage: false,
        probe: 'OPTIONS',
      },
      promises: { resume: 'second', gaps: 'possible' },
      order: unnumbered(together),

      check(channel) {
        checkName(channel)
        // To a location's expression, '$' is also before a line end: 'x\n' would be 'x'.
        if (/\p{Cc}/u.test(channel)) refuse(channel, 'has no control characters')
        if (steps.test(channel)) refuse(channel, `has no steps of a path that are empty or only dots`)
        if (separator && channel.includes(separator)) refuse(channel, `can't contain the separator '${separator}'`)
      },

      exchange(kind, { channels, position, eventId, params, headers }) {
        const mode = kind === 'poll' ? 'longpolling' : kind
        const names = channels.map(({ name }) => name)
        const target = new URL(absolute(typeof url === 'function' ? url(names, mode) : fill(url, names)))
        const query = Object.entries(params).map((pair) => pair.map(encodeURIComponent).join('='))
        const head: Record<string, string> = { ...headers }
        const all = channels.some(({ backtrack }) => backtrack) && !together ? '0:0' : undefined
        const id =
          position === undefined
            ? (eventId ?? all)
            : together && position === everything
              ? undefined
              : idOf(position, names)
        if (id !== undefined && where === 'query') {
          // As it is: what is encoded counts threefold towards the 128 characters the server reads.
          query.push(`last_event_id=${id.replace(/[^\w:,[\]-]/g, encodeURIComponent)}`)
        } else if (id !== undefined && mode !== 'websocket') {
          const [second, tag] = id.split(':') as [string, string]
          head['If-Modified-Since'] = new Date(Number(second) * 1000).toUTCString()
          head['If-None-Match'] = tag
        }
        if (mode === 'eventsource') head.Accept = 'text/event-stream'
        if (mode === 'stream') head.Accept = 'multipart/mixed'
        const search = [target.search.slice(1), ...query].filter((part) => part !== '').join('&')
        const address = `${target.origin}${target.pathname}${search === '' ? '' : `?${search}`}`
        return {
          url: mode === 'websocket' ? address.replace(/^http/, 'ws') : address,
          headers: head,
          credentials: endpoint.credentials,
          // nchan_subscriber_timeout
          ...(mode === 'longpolling' ? { framing: 'message' as const, timeoutStatus: 408 } : {}),
          ...(mode === 'longpolling' || mode === 'stream' ? { foreign: foreignIn(mode) } : {}),
          ...(mode === 'websocket' ? { subprotocols: [withMeta] } : {}),
        }
      },

      decoder(context, events) {
        const { kind, channels } = context
        const remembering: DecoderEvents = {
          ...events,
          message(message) {
            const { position, eventId: id } = message
            if (kind === 'longpolling' && id !== undefined) told = { position, id, names: channels.join() }
            events.message(message)
          },
        }
        return createDecoder(context, together ? remembering : events, answerOf)
      },

      classify: ({ kind, status, explain }) => ({
        action: retry && status === 403 ? 'backoff' : actionOf(kind, status),
        status: kind === 'status' ? status : undefined,
        explain,
        // A reload, a restart and a DELETE look the same. Only the subscriber's own time limit is known to be harmless.
        historyLost:
          kind === 'refused' ||
          (kind === 'end' && status !== 408 && !explain?.startsWith('408')) ||
          (kind === 'status' && status !== undefined && (status === 410 || status >= 500)),
      }),

      positionOf({ headers }) {
        const answer = answerOf(headers)
        return answer && placeOf(answer.second, tagsOf(answer.etag).tag)
      },

      publish: (channels, text) => ({ url: absolute(fill(publisher, channels)), body: text, frame: undefined }),
    }
  }
}

type AnswerOf = (headers: Headers) => { second: number; etag: string } | undefined

function createDecoder(context: DecoderContext, events: DecoderEvents, answerOf: AnswerOf): Decoder {
  const { kind, channels } = context
  const mode = kind === 'poll' ? 'longpolling' : kind
  let greeted = false

  /** Hands a message on. `id`: as the server wrote it; `undefined` where it is not told. */
  const message = (id: string | undefined, body: unknown, type: string | undefined, event?: string) => {
    const [second, tags] = (id ?? '').split(':') as [string, string | undefined]
    const { index, tag } = tagsOf(tags ?? '')
    const channel = channels[channels.length === 1 ? 0 : index]
    if (channel === undefined || (id !== undefined && !(Number(second) > 0 && tag >= 0))) {
      return events.dead(String(body), `no id of this server: ${id}`)
    }
    const position = id === undefined ? Number.NaN : placeOf(Number(second), tag)
    // Bytes that are no UTF-8. A type of text may have that character itself; no type is told by eventsource.
    const lost = typeof body === 'string' && body.includes('\ufffd') && !/^text|json|xml|urlenc/.test(type ?? '')
    events.message(
      new IncomingMessage(
        undefined,
        channel,
        body,
        position,
        id === undefined ? undefined : tag,
        id,
        event,
        mode,
        position < context.liveFrom,
        lost ? 'binary data can only come by websocket' : undefined,
        type,
      ),
    )
  }

  /** A websocket frame: lines of meta data, an empty line, the body. */
  const meta = (head: string, body: unknown) => {
    const headers = headersOf(head)
    message(headers.get('id') ?? '', body, headers.get('content-type'))
  }

  const idOf = ({ headers }: Part) => {
    const time = Date.parse(headers.get('last-modified') ?? '')
    return Number.isNaN(time) ? undefined : `${time / 1000}:${headers.get('etag')}`
  }
  const multipart = createMultipart((part) => {
    // What stands before the first boundary.
    if (part.headers.size === 0 && part.body === '') return
    message(idOf(part) ?? '', part.body, part.headers.get('content-type'))
  })

  /** One answer of a long-poll: a message, or several with one id for the last of them. */
  const answer = (text: string, headers: Headers | undefined) => {
    const last = headers && answerOf(headers)
    const type = headers?.get('Content-Type') ?? undefined
    const id = last && `${last.second}:${last.etag}`
    // A poll for fewer channels, as some were removed: its counters are not those of the channels that this began with.
    if (last !== undefined && channels.length > 1 && channels.length !== last.etag.split(',').length) {
      return events.over({ kind: 'end', status: 408 })
    }
    if (!type?.startsWith('multipart/mixed')) return message(id ?? '', text, type)
    const parts: Part[] = []
    createMultipart((part) => parts.push(part))(text)
    const { tag = Number.NaN } = last && channels.length === 1 ? tagsOf(last.etag) : {}
    parts.forEach((part, index) => {
      const before = parts.length - 1 - index
      // The counter has no holes, so within the second of the last one the others are known too.
      const own =
        last === undefined ? '' : before === 0 ? id : tag >= before ? `${last?.second}:${tag - before}` : undefined
      message(idOf(part) ?? own, part.body, part.headers.get('content-type'))
    })
  }

  return {
    frame(text: string, { binary, event, id, headers }: FrameMeta = {}) {
      if (mode === 'stream') multipart(text)
      else if (mode === 'longpolling') answer(text, headers)
      else if (mode === 'eventsource') {
        // A ping may be an event of any name.
        if (id === undefined || id === '') events.ping()
        else message(id, text, undefined, event)
      } else if (binary !== undefined) {
        const end = binary.findIndex((byte, index) => byte === 10 && binary[index + 1] === 10)
        meta(new TextDecoder().decode(binary.subarray(0, Math.max(0, end))), binary.subarray(end + 2))
      } else {
        const end = text.indexOf('\n\n')
        if (text.startsWith('id:') && end >= 0) meta(text.slice(0, end), text.slice(end + 2))
        // The answer to an application's own `ping`.
        else if (text === 'pong') events.ping()
        else events.dead(text, 'no id: the location does not speak ws+meta.nchan')
      }
    },
    pulse(comment) {
      const status = Number(statusWords.exec(comment)?.[1])
      const first = !greeted
      greeted = true
      // Nchan begins with `: hi`.
      if (first && comment === '') return events.over({ kind: 'invalid', symptom: 'module' })
      if (status === 410 || status === 408) events.over({ kind: 'end', status, explain: comment.trim() })
      else if (status >= 300) events.over({ kind: 'status', status, explain: comment.trim() })
      else if (comment.trim() !== 'hi') events.ping()
    },
    finish() {},
  }
}
