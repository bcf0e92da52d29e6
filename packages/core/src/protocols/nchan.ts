import { unnumbered } from '../delivery/unnumbered.js'
import { everything, secondOf, tagOf, timeOf } from '../position.js'
import type { Exchange, ModeName, Position, Symptom } from '../types.js'
import { addressOf, argumentsOf } from './address.js'
import { checkNchan, refuseForeign } from './checks.js'
import { checkName, refuse, steps } from './names.js'
import { createDecoder } from './nchan-decoder.js'
import { classify } from './nchan-endings.js'
import { idAfter, placeIn } from './nchan-ids.js'
import { createPollScheduler } from './poll-scheduler.js'
import type { ProtocolFactory, Subscription } from './protocol.js'

/**
 * The configuration of Nchan's locations. Set what differs from the defaults.
 *
 * @example
 * ```ts
 * import { nchan, PushStream } from '@pushstream/core'
 *
 * const protocol = nchan({ url: '/sub?id={channel}', publisher: '/pub?id={channel}', retry: true })
 * const stream = new PushStream({ url: 'https://push.example.org', protocol })
 * ```
 */
export interface NchanSettings {
  /**
   * The location of `nchan_subscriber`, below the client's address: `{channel}` stands for the name, in the path or in
   * the query (`/sub?id={channel}`). Or a function of the names and the mode, which encodes the names itself. It is given
   * one name, or all of them with `separator`. Default `/sub/{channel}`.
   */
  url?: string | ((channels: readonly string[], mode: ModeName) => string)
  /**
   * The separator of several names in one address (`nchan_channel_id_split_delimiter`). With it, all channels share one
   * connection and are resumed together. Then Nchan with several workers and the memory store loses messages, and no
   * client can notice. Default: none, and a connection for each channel.
   */
  separator?: string
  /**
   * Where the position goes: `query` (`?last_event_id=`), or `headers` (`If-Modified-Since`, `If-None-Match`) for the
   * older Nginx HTTP Push Module and other Basic HTTP Push Relays, which know nothing else. Default `query`.
   */
  position?: 'query' | 'headers'
  /**
   * Whether to ask again, with back-off, after 403. Set it if you use `nchan_max_channel_subscribers` or
   * `nchan_subscribe_existing_channels_only`, whose refusals may be temporary. Default false: the channel is given up.
   */
  retry?: boolean
  /** The location of `nchan_publisher`, for `sendMessage`. Default `/pub/{channel}`. */
  publisher?: string
}

/** An answer that Nchan does not give to a poll. */
function foreignPoll(headers: Headers): Symptom | undefined {
  const etag = headers.get('Etag') ?? ''
  if (/^W\/\d/.test(etag)) return 'module'
  return /[a-z]/i.test(etag.replace(/^W\//, '')) ? 'foreign' : undefined
}

/** A stream that Nchan does not send. */
const foreignStream = (headers: Headers): Symptom | undefined =>
  /html|json|plain|^$/.test(headers.get('Content-Type') ?? '') ? 'foreign' : undefined

/** What the requests of a mode have in common. */
const forms: Record<ModeName, Partial<Exchange>> = {
  // With this subprotocol, messages have ids. The server wants it first.
  websocket: { subprotocols: ['ws+meta.nchan'] },
  eventsource: {},
  stream: { foreign: foreignStream },
  // nchan_subscriber_timeout
  longpolling: { framing: 'message', timeoutStatus: 408, foreign: foreignPoll },
}
const accepted: Partial<Record<ModeName, string>> = { eventsource: 'text/event-stream', stream: 'multipart/mixed' }

function check(channel: string, separator: string | undefined): void {
  checkName(channel)
  // To a location's expression, '$' is also before a line end: 'x\n' would be 'x'.
  if (/\p{Cc}/u.test(channel)) refuse(channel, 'has no control characters')
  if (steps.test(channel)) refuse(channel, `has no steps of a path that are empty or only dots`)
  if (separator && channel.includes(separator)) refuse(channel, `can't contain the separator '${separator}'`)
}

/**
 * The protocol of Nchan, and of the older Nginx HTTP Push Module. Nothing on Nchan's wire shows that a message is
 * missing, so the client resumes each channel with some overlap, and where nothing known comes again it announces a
 * `gap` without ids.
 *
 * @example
 * ```ts
 * import { nchan, PushStream } from '@pushstream/core'
 *
 * const stream = new PushStream({ url: 'https://push.example.org', protocol: nchan() })
 * stream.addChannel('user-42').connect()
 * ```
 */
export const nchan = (settings: NchanSettings = {}): ProtocolFactory => {
  const { url = '/sub/{channel}', separator, position: where = 'query', retry, publisher = '/pub/{channel}' } = settings
  checkNchan({ url, position: where })
  const together = separator !== undefined
  const fill = (template: string, names: readonly string[]) =>
    template.replaceAll('{channel}', names.map(encodeURIComponent).join(encodeURIComponent(separator ?? '')))

  const factory: ProtocolFactory = (endpoint) => {
    refuseForeign('nchan', endpoint.options)
    /** The last message of a long-poll for several channels, and which they were. */
    let told: { position: Position; id: string; names: string } | undefined

    const idOf = ({ channels, position, eventId }: Subscription, names: readonly string[]): string | undefined => {
      if (position === undefined)
        return eventId ?? (channels.some(({ backtrack }) => backtrack) && !together ? '0:0' : undefined)
      if (!together) return idAfter(position)
      if (position === everything) return undefined
      // Only a poll that goes on has a counter. What begins has a whole second, so that something known comes first.
      const last = tagOf(position) > 0 && told?.names === names.join() ? told : undefined
      return last && last.position >= secondOf(position)
        ? last.id
        : `${timeOf(position) / 1000}:[-]${',-'.repeat(names.length - 1)}`
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
      guarantees: { resume: 'second', gaps: 'possible' },
      order: unnumbered(together),
      check: (channel) => check(channel, separator),

      exchange(kind, subscription) {
        const mode = kind === 'poll' ? 'longpolling' : kind
        const names = subscription.channels.map(({ name }) => name)
        const query = argumentsOf(subscription.params)
        const headers: Record<string, string> = { ...subscription.headers }
        const id = idOf(subscription, names)
        if (id !== undefined && where === 'query') {
          // As it is: what is encoded counts threefold towards the 128 characters the server reads.
          query.push(`last_event_id=${id.replace(/[^\w:,[\]-]/g, encodeURIComponent)}`)
        } else if (id !== undefined && mode !== 'websocket') {
          const [second, tag] = id.split(':') as [string, string]
          headers['If-Modified-Since'] = new Date(Number(second) * 1000).toUTCString()
          headers['If-None-Match'] = tag
        }
        const accept = accepted[mode]
        if (accept !== undefined) headers.Accept = accept
        const address = addressOf(endpoint.base, typeof url === 'function' ? url(names, mode) : fill(url, names), query)
        return {
          url: mode === 'websocket' ? address.replace(/^http/, 'ws') : address,
          headers,
          credentials: endpoint.credentials,
          ...forms[mode],
        }
      },

      decoder(context, events) {
        if (!together || context.kind !== 'longpolling') return createDecoder(context, events)
        return createDecoder(context, {
          ...events,
          message(message) {
            const { position, eventId: id } = message
            if (id !== undefined) told = { position, id, names: context.channels.join() }
            events.message(message)
          },
        })
      },

      classify: (ending) => classify(ending, retry),
      positionOf: ({ headers }) => placeIn(headers),
      publish: (channels, text) => ({
        url: addressOf(endpoint.base, fill(publisher, channels), []),
        body: text,
        frame: undefined,
      }),
    }
  }
  return Object.assign(factory, { settings: ['nchan', settings] })
}
