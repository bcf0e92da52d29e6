/**
 * Names travel as byte strings: one character per byte (latin1), as Node hands over the request line. A channel
 * name may hold any byte, so decoding to Unicode would merge names that nginx keeps apart.
 */
export interface RequestedChannel {
  /** The name, one character per byte. */
  id: string
  /** N of `.bN`: how many stored messages to send first. 0 is none. */
  backtrack: number
}

/** A JavaScript string as a byte string (UTF-8). */
export function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Splits a decoded channels path. `x.b5.b0` is the channel `x.b5`: only the last suffix counts. */
export function parseChannels(path: string): RequestedChannel[] {
  const channels: RequestedChannel[] = []
  let rest = path
  while (rest.length > 0) {
    const match = /(?:\.b([0-9]+))?(?:\/|$)/.exec(rest)!
    channels.push({ id: rest.slice(0, match.index), backtrack: match[1] === undefined ? 0 : Number(match[1]) })
    rest = rest.slice(match.index + match[0].length)
  }
  return channels
}

/**
 * Percent-decodes once, with nginx's leniency: a malformed sequence loses its percent sign (and its first digit).
 * A `?` after at least one decoded sequence ends the value.
 */
export function unescapeUri(value: string): string {
  let out = ''
  for (let i = 0; i < value.length; i++) {
    const char = value[i]!
    if (char === '?') return out.length < i ? `${out}?` : value
    if (char !== '%') {
      out += char
      continue
    }
    const first = value[i + 1]
    if (first === undefined || !isHex(first)) {
      if (first !== undefined) out += first
      i += 1
      continue
    }
    const second = value[i + 2]
    i += 2
    if (second === undefined || !isHex(second)) continue
    const decoded = String.fromCharCode(Number.parseInt(first + second, 16))
    out += decoded
    if (decoded === '?') return out
  }
  return out
}

/**
 * The request path as nginx sees it: decoded once, repeated slashes merged. `null` where nginx answers 400
 * (a malformed sequence or a NUL).
 */
export function decodePath(path: string): string | null {
  if (/%(?![0-9a-fA-F]{2})|%00/.test(path)) return null
  const decoded = path.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return decoded.replace(/\/{2,}/g, '/')
}

/** The raw value of an argument, not decoded; the first of that name, whatever its case. */
export function argument(query: string, name: string): string | undefined {
  const wanted = `${name.toLowerCase()}=`
  const found = query.split('&').find((part) => part.toLowerCase().startsWith(wanted))
  return found?.slice(wanted.length)
}

function isHex(char: string): boolean {
  return /^[0-9a-fA-F]$/.test(char)
}
