import { PushStreamError } from '../errors.js'
import type { IncomingMessage } from '../message.js'
import type { PoolStatus } from '../session/member.js'
import type { GapReason, Position } from '../types.js'
import type { States } from './channel-state.js'

/** How far a feed has come: whose it is, and how much was told. A leader has another name each time that it leads. */
export type Mark = readonly [leader: string, n: number]

/** What a leader's connections bring, as the names of events and what they take. */
export interface News {
  /** The next message of its channel. `gap`: why some before it are missing. */
  deliver: [message: IncomingMessage, gap: GapReason | undefined]
  deleted: [channel: string, text: string]
  deadletter: [raw: string, reason: string]
  refused: [error: PushStreamError]
  failed: [error: PushStreamError]
}

/** What tabs say to each other: plain data. */
export interface Said {
  /** A tab wants these channels, and has come so far. `retry`: without waiting for the next attempt. */
  join: [tab: string, states: States, retry: boolean]
  /** How far the leader has come. */
  welcome: [tab: string, at: Mark, status: PoolStatus, states: States]
  /** Does the leader live? */
  ask: []
  /** It does, and its channels are complete up to `low`. `since`: it leads on from where this feed had come. */
  lead: [at: Mark, status: PoolStatus, low: Position, since?: Mark | undefined]
  news: [at: Mark, type: keyof News, ...news: unknown[]]
}

/** An error as data. Its cause stays in its tab. */
export const packed = <T>(value: T): T => (value instanceof Error ? { ...value, message: value.message } : value)

export function unpacked<T>(value: T): T {
  const error = value as Partial<PushStreamError> | undefined
  return error?.code ? (new PushStreamError(error.code, error.message as string, error) as T) : value
}
