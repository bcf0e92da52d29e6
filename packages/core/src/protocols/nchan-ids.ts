import { everything, positionOf, tagOf, timeOf } from '../position.js'
import type { Position } from '../types.js'

/** The headers of an answer, or of a part of one. */
interface Headed {
  get(name: string): string | null | undefined
}

/** The position of a message from its second and its counter in that second, which begins at 0. */
export const placeOf = (second: number, tag: number): Position => positionOf(second * 1000, tag + 1)

/** The Etag. If a proxy removes it, relays write it into Cache-Control as well. */
export const etagOf = (headers: Headed): string | null | undefined =>
  headers.get('etag') ?? /(?:^|[\s,])etag=([^\s,]+)/.exec(headers.get('cache-control') ?? '')?.[1]

/** The id in headers, as other modes write it: `second:counter`. */
export function idIn(headers: Headed): string | undefined {
  const second = Date.parse(headers.get('last-modified') ?? '') / 1000
  const etag = etagOf(headers)
  return Number.isNaN(second) || etag == null ? undefined : `${second}:${etag.replace(/^W\/|"/g, '')}`
}

/** Reads an id. Of several channels, the counter in brackets is the message's: `5:[2],0,-` is of the first one. */
export function readId(id: string) {
  const [time, counters = ''] = id.split(':')
  const all = counters.split(',')
  const second = Number(time)
  const index = all.length === 1 ? 0 : all.findIndex((counter) => counter.includes('['))
  const tag = Number.parseInt(all[index]?.replace('[', '') ?? '', 10)
  return { second, tag, index, count: all.length, position: placeOf(second, tag) }
}

/** The position in headers. */
export function placeIn(headers: Headed): Position | undefined {
  const id = idIn(headers)
  return id === undefined ? undefined : readId(id).position
}

/** The last counter of a second. */
const lastTag = 32767

/** The id after which everything of one channel is asked for. */
export function idAfter(position: Position): string {
  if (position === everything) return '0:0'
  const second = timeOf(position) / 1000
  const tag = tagOf(position)
  return tag === 0 ? `${second - 1}:${lastTag}` : `${second}:${tag - 1}`
}
