import type { Settings } from '../options.js'
import { Pool, type PoolEvents } from './pool.js'

/** What carries the channels of a client: its pool, one that tabs share, or by hand in a test. */
export type Carrier = Pick<
  Pool,
  | 'status'
  | 'stuck'
  | 'channels'
  | 'groups'
  | 'duplicates'
  | 'reconnects'
  | 'add'
  | 'remove'
  | 'removeAll'
  | 'send'
  | 'connect'
  | 'change'
  | 'disconnect'
> &
  Partial<Pick<Pool, 'restore' | 'stores'>>

/** Makes what carries the channels. */
export type NewCarrier = new (settings: Settings, events: PoolEvents) => Carrier

/** Makes a pool that tabs share. `undefined` where this runtime has no means to. */
export type SharedCarrier = (
  settings: Settings,
  events: PoolEvents,
  make: (events: PoolEvents) => Pool,
) => Carrier | undefined

/** Makes what carries the channels of a client. */
export const carrierOf = (Carried: NewCarrier, settings: Settings, events: PoolEvents): Carrier =>
  (settings.share as SharedCarrier | undefined)?.(settings, events, (own) => new Pool(settings, own)) ??
  new Carried(settings, events)
