import { cursors } from '../delivery/cursors.js'
import { bad, PushStreamError } from '../errors.js'
import type { CommonOptions } from '../types.js'
import { addressOf, argumentsOf } from './address.js'
import { checkDjango, refuseBacktrack, refuseDjango } from './checks.js'
import { CursorDecoder } from './django-eventstream-decoder.js'
import { encodeIds, type Ids, parseIds } from './event-ids.js'
import { checkName, refuse, steps } from './names.js'
import type { ProtocolFactory } from './protocol.js'
import { ResumeState } from './resume-state.js'

/**
 * The configuration of django-eventstream's routes. Set what differs from the defaults.
 *
 * @example
 * ```ts
 * import { djangoEventStream, PushStream } from '@pushstream/core'
 *
 * const protocol = djangoEventStream({ url: '/rooms/{channel}/' }) // path('rooms/<channel>/', include(…))
 * const stream = new PushStream({ protocol }).addChannel('news').connect()
 * ```
 */
export interface DjangoEventStreamSettings {
  /**
   * The route of `django_eventstream.urls`, below the client's address. With `{channel}` the name stands in the path
   * (`/rooms/{channel}/`). Or a function of the names, which encodes them itself. Default `/events/`.
   */
  url?: string | ((channels: readonly string[]) => string)
  /**
   * How the channels are asked for: `repeated` (`?channel=a&channel=b`), `list` (`?channels=a,b`, as view sets of the
   * Django REST framework expect), or `route` if the route has fixed channels. Default `repeated`; `route` where `url`
   * has `{channel}` or is a function.
   */
  channels?: 'repeated' | 'list' | 'route'
  /**
   * Whether up to ten channels share a connection. Set it if pages have more than four channels and no HTTP/2. The
   * server must store the channels (EVENTSTREAM_STORAGE_CLASS, `is_channel_reliable`): events that are not stored do
   * not name their channel. Default false: a connection for each channel.
   */
  together?: boolean
  /**
   * Where the position goes: `query` (`?lastEventId=`) or `headers` (`Last-Event-ID`), which a server of another origin
   * has to allow by name (EVENTSTREAM_ALLOW_HEADERS). Default `query`.
   */
  position?: 'query' | 'headers'
  /**
   * What to do about missing numbers of a channel. `ask`: a new connection asks for them and takes over; what the
   * server no longer has is a `gap`. `ignore`: nothing. Set it behind Pushpin if you call `send_event` with
   * `skip_user_ids`. Default `ask`.
   */
  missingIds?: 'ask' | 'ignore'
  /**
   * Whether to ask for a new channel with an id that can't exist. The answer, a `stream-reset`, tells its current id,
   * so nothing is missed from then on. Set it to false if your own storage class can't take such an id. Default true.
   */
  probe?: boolean
}

/** Messages have numbers, and where they are stored they come again. */
const stored = { resume: 'position', gaps: 'exact' } as const
/** Nothing is stored. */
const passing = { resume: 'none', gaps: 'none' } as const

/** What the client was told to begin with. Throws a `bad-option` error for what this server doesn't have. */
function initialIds(options: CommonOptions = {}): Ids {
  refuseDjango(options)
  const { lastEventId } = options
  // Without a store the server gives an empty one. A page may keep what a stream ended with.
  if (!lastEventId || lastEventId === 'error') return new Map()
  const ids = parseIds(lastEventId)
  if (ids === undefined) throw bad(`'lastEventId' is no id of django-eventstream ('channel:12,other:3').`)
  return ids
}

/**
 * The protocol of django-eventstream, and of `@fanoutio/eventstream` for Node: Server-Sent Events over fetch. Each
 * channel is resumed by its own number. Events that the server does not store are lost while there is no connection.
 *
 * @example
 * ```ts
 * import { djangoEventStream, PushStream } from '@pushstream/core'
 *
 * const stream = new PushStream({ protocol: djangoEventStream() })
 * stream.addChannel('news').connect()
 * ```
 */
export const djangoEventStream = (settings: DjangoEventStreamSettings = {}): ProtocolFactory => {
  const { url = '/events/', together = false, position: where = 'query', missingIds = 'ask', probe = true } = settings
  checkDjango({ ...settings, url })
  const inRoute = typeof url === 'function' || url.includes('{channel}')
  const { channels: style = inRoute ? 'route' : 'repeated' } = settings

  const factory: ProtocolFactory = (endpoint) => {
    const state = new ResumeState(initialIds(endpoint.options))

    return {
      capabilities: {
        modes: ['eventsource'],
        channelsPerConnection: together ? 10 : 1,
        oneShot: {},
        lastMessage: false,
        // A keep-alive every 20 seconds.
        keepAlive: 45_000,
      },
      get guarantees() {
        return state.stored === false ? passing : stored
      },
      order: cursors(missingIds === 'ask'),

      check(channel, backtrack) {
        refuseBacktrack(backtrack)
        checkName(channel)
        if (style === 'list' && channel.includes(',')) {
          refuse(channel, `can't have a comma where channels are asked for as a list`)
        }
        if (inRoute && steps.test(channel)) refuse(channel, 'in a path has no steps that are empty or only dots')
      },

      exchange(_, { channels, params, headers }) {
        const ids = state.request(channels, probe)
        const names = channels.map(({ name }) => name)
        const query = argumentsOf(params)
        if (style === 'repeated') query.push(...names.map((name) => `channel=${encodeURIComponent(name)}`))
        // The commas are the list's own.
        if (style === 'list') query.push(`channels=${names.map(encodeURIComponent).join(',')}`)
        const head: Record<string, string> = { ...headers, Accept: 'text/event-stream' }
        if (ids.size > 0) {
          const id = encodeIds(ids)
          if (where === 'query') query.push(`lastEventId=${encodeURIComponent(id)}`)
          else head['Last-Event-ID'] = id
        }
        const path =
          typeof url === 'function' ? url(names) : url.replaceAll('{channel}', encodeURIComponent(names[0] ?? ''))
        return {
          url: addressOf(endpoint.base, path, query),
          headers: head,
          credentials: endpoint.credentials,
        }
      },

      decoder: (context, events) => new CursorDecoder(context, events, state),

      // What the server stores survives its restart, and a store that was emptied shows by a reset.
      classify: ({ kind, status = 0, explain }) => ({
        action:
          kind === 'end'
            ? 'reconnect'
            : kind === 'status' && status >= 300 && status < 500 && ![408, 409, 425, 429].includes(status)
              ? 'rejected'
              : 'backoff',
        status: kind === 'status' ? status : undefined,
        explain,
      }),
      positionOf: () => undefined,
      publish() {
        throw new PushStreamError(
          'send',
          'django-eventstream takes no messages from pages: send them to a view of yours.',
        )
      },
    }
  }
  return Object.assign(factory, { settings: ['django-eventstream', settings] })
}
