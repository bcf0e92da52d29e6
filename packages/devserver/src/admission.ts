import type { Channel } from './channel.js'
import type { RequestedChannel } from './channel-names.js'
import type { Location } from './location.js'
import { type Store, TooManyChannels } from './store.js'

/** A channel that may be subscribed. */
export interface Admitted {
  channel: Channel
  backtrack: number
}

/** Why a request is turned away: the status and the `X-Nginx-PushStream-Explain`. */
export interface Refusal {
  status: number
  explain: string
}

export const EXPLAIN_HEADER = 'X-Nginx-PushStream-Explain'
export const NO_CHANNEL: Refusal = { status: 400, explain: 'No channel id provided.' }
const RESERVED: Refusal = { status: 403, explain: 'Channel id not authorized for this method.' }
export const TOO_LARGE: Refusal = { status: 400, explain: 'Channel id is too large.' }
export const TOO_MANY_CHANNELS: Refusal = { status: 403, explain: 'Number of channels were exceeded.' }

const NOT_EXISTING: Refusal = { status: 403, explain: 'Subscriber could not create channels.' }
const CHANNEL_FULL: Refusal = { status: 403, explain: 'Subscribers limit per channel has been exceeded.' }
const EVENTS_CHANNEL: Refusal = { status: 403, explain: 'Subscription to events channel is not allowed.' }
const TOO_MANY_WILDCARDS: Refusal = { status: 403, explain: 'Subscribed too much wildcard channels.' }

const ALLOWED_HEADERS = 'If-Modified-Since,If-None-Match,Etag,Event-Id,Event-Type,Last-Event-Id'

/** The refusal of a name that no one may publish to or subscribe. */
export function refuseName(store: Store, id: string): Refusal | null {
  if (id === 'ALL' || id.includes('*')) return RESERVED
  const { maxChannelIdLength } = store.settings
  return maxChannelIdLength !== null && id.length > maxChannelIdLength ? TOO_LARGE : null
}

/** The channels of a subscription, made where they do not exist yet, or why not. */
export function admit(store: Store, location: Location, requested: RequestedChannel[]): Admitted[] | Refusal {
  if (requested.length === 0) return NO_CHANNEL
  for (const { id } of requested) {
    const refusal = refuseName(store, id) ?? refuseSubscription(store, location, id)
    if (refusal !== null) return refusal
  }
  const wildcards = requested.filter(({ id }) => store.isWildcard(id)).length
  const limit = location.settings.wildcardChannelMaxQtd
  if (limit !== null && wildcards > 0 && (wildcards > limit || wildcards === requested.length))
    return TOO_MANY_WILDCARDS
  try {
    return requested.map(({ id, backtrack }) => ({ channel: store.open(id), backtrack }))
  } catch (error) {
    if (error instanceof TooManyChannels) return TOO_MANY_CHANNELS
    throw error
  }
}

function refuseSubscription(store: Store, location: Location, id: string): Refusal | null {
  const channel = store.find(id)
  const { authorizedChannelsOnly, allowConnectionsToEventsChannel } = location.settings
  const empty = channel === undefined || channel.messages.length === 0
  if (authorizedChannelsOnly && !store.isWildcard(id) && empty) return NOT_EXISTING
  const { maxSubscribersPerChannel } = store.settings
  if (channel === undefined) return null
  if (maxSubscribersPerChannel !== null && channel.subscriptions.size >= maxSubscribersPerChannel) return CHANNEL_FULL
  return channel.forEvents && !allowConnectionsToEventsChannel ? EVENTS_CHANNEL : null
}

/** The CORS headers of a location, if it has allowed origins. No origin is checked, and nothing is exposed. */
export function corsHeaders(location: Location): Array<[string, string]> {
  if (location.settings.allowedOrigins === '') return []
  return [
    ['Access-Control-Allow-Origin', location.settings.allowedOrigins],
    ['Access-Control-Allow-Methods', allowedMethods(location)],
    ['Access-Control-Allow-Headers', ALLOWED_HEADERS],
  ]
}

/** The methods a location answers to. */
export function allowedMethods(location: Location): string {
  if (location.mode === 'publisher-admin') return 'GET, POST, PUT, DELETE'
  return location.mode === 'publisher' ? 'GET, POST, PUT' : 'GET'
}
