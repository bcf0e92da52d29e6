import type { Position } from './types.js'

// A counter of 2^20 messages in one second leaves the product well within the integers a double can hold.
const TAGS = 2 ** 20

/** The position of a message. `time` in ms since 1970 (its second counts), `tag` 0 stands before the whole second. */
export const positionOf = (time: number, tag: number): Position => Math.floor(time / 1000) * TAGS + tag

/** The second of a position, in ms since 1970. */
export const timeOf = (position: Position): number => Math.floor(position / TAGS) * 1000

/** The counter within its second. */
export const tagOf = (position: Position): number => position % TAGS

/** The same second from its beginning: what is asked for when known messages may come again. */
export const secondOf = (position: Position): Position => position - tagOf(position)

/** The position before everything that is stored. */
export const everything: Position = 0
