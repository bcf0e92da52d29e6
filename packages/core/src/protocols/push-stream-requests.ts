import { utf8Header } from '../header.js'
import { tagOf, timeOf } from '../position.js'
import type { Exchange } from '../types.js'
import type { Endpoint, Protocol, RequestKind, Subscription, Wanted } from './protocol.js'
import { foreignIn } from './push-stream-answers.js'
import type { PushStreamSettings } from './push-stream-settings.js'

const backtracked = /\.b\d+$/

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

/** Makes the requests for one server. */
export function requestsOf(settings: PushStreamSettings, endpoint: Endpoint): Pick<Protocol, 'exchange' | 'publish'> {
  const {
    urlPrefixWebsocket: websocket = '/ws',
    urlPrefixEventsource: eventsource = '/ev',
    urlPrefixStream: stream = '/sub',
    urlPrefixLongpolling: longpolling = '/lp',
    urlPrefixPublisher: publisher = '/pub',
    channelsByArgument: byArgument = false,
    channelsArgument = 'channels',
    messagesControlByArgument: inQuery = true,
    tagArgument = 'tag',
    timeArgument = 'time',
    eventIdArgument = 'eventid',
  } = settings
  const inHeaders = settings.messagesControlByArgument === undefined ? endpoint.sameOrigin : !inQuery
  // A long-polling location can't be talked into answering at once; an eventsource location can.
  const prefixes: Record<RequestKind, string> = { websocket, eventsource, stream, longpolling, poll: eventsource }

  /** A prefix as it is written: a location with a slash at its end is another one than without. */
  const below = (prefix: string, query: string) => {
    const path = `${endpoint.base}/${prefix.replace(/^\/+/, '')}`
    return query ? path + (path.includes('?') ? '&' : '?') + query : path
  }
  const address = (prefix: string, channels: readonly Wanted[], query: Record<string, string>) => {
    const names = channels.map((channel) => encodeName(channel, !byArgument)).join(byArgument ? '%2F' : '/')
    const pairs = Object.entries(query).map((pair) => pair.map(encodeURIComponent).join('='))
    if (byArgument) pairs.unshift(`${channelsArgument}=${names}`)
    return below(byArgument ? prefix : `${prefix.replace(/\/+$/, '')}/${names}`, pairs.join('&'))
  }

  return {
    exchange(kind, { channels, position, eventId, params, headers }: Subscription): Exchange {
      const query = { ...params }
      const head = { ...headers }
      const heads = inHeaders && kind !== 'websocket'
      if (position !== undefined) {
        const time = new Date(timeOf(position)).toUTCString()
        const tag = tagOf(position)
        if (inQuery) Object.assign(query, { [timeArgument]: time, [tagArgument]: `${tag}` })
        // If-None-Match is never sent alone: nginx would turn a message into a 304.
        if (heads) Object.assign(head, { 'If-Modified-Since': time, 'If-None-Match': `W/${tag}` })
      } else if (eventId !== undefined) {
        if (inQuery) query[eventIdArgument] = eventId
        if (heads) head['Last-Event-ID'] = utf8Header(eventId)
      }
      if (kind === 'poll') head['X-Nginx-PushStream-Mode'] = 'polling'
      const url = address(prefixes[kind], channels, query)
      return {
        url: kind === 'websocket' ? url.replace(/^http/, 'ws') : url,
        headers: head,
        credentials: endpoint.credentials,
        ...(kind === 'poll' && { framing: 'eventsource' }),
        // A stream of events has a type of its own.
        ...(kind !== 'eventsource' && { foreign: foreignIn(kind) }),
      }
    },

    publish(channels, text) {
      const names = channels.map((name) => encodeName({ name }, false)).join('/')
      // As the template needs it.
      const body = encodeURIComponent(text)
      return { url: below(publisher, `id=${names}`), body, frame: body }
    },
  }
}
