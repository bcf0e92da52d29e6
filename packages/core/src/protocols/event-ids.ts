/** How far each channel has come. */
export type Ids = Map<string, number>

/** A number that no message has: what is asked for after it has no place, which makes the server tell where it stands. */
export const unreachable = 2 ** 31 - 1

/** The map that an id of the wire is (`channel:12,other:3`, names percent-encoded); `undefined` for anything else. */
export function parseIds(text: string): Ids | undefined {
  const ids: Ids = new Map()
  for (const part of text.split(',')) {
    const [, name, n] = /^([^:]+):(\d{1,15})$/.exec(part) ?? []
    if (name === undefined) return undefined
    try {
      ids.set(decodeURIComponent(name), Number(n))
    } catch {
      return undefined
    }
  }
  return ids
}

/** The id for a map. */
export const encodeIds = (ids: Ids): string => [...ids].map(([name, n]) => `${encodeURIComponent(name)}:${n}`).join(',')
