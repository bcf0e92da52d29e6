/**
 * The configuration of the locations at which pages subscribe.
 *
 * @example
 * ```ts
 * import { createAuthorizer } from '@pushstream/publisher/auth'
 *
 * const allow = (channel: string) => channel === 'news'
 * const auth = createAuthorizer({ allow, locations: ['/events/ws/', '/events/ev/'], argument: 'channel' })
 * ```
 */
export interface SubscriberLocations {
  /**
   * The server. `push-stream` (default) percent-decodes a path twice (nginx, then the module) and an argument once.
   * `nchan` decodes a path once and an argument never.
   */
  server?: 'push-stream' | 'nchan'
  /**
   * The paths of the locations, as pages request them. Default `/ws/`, `/ev/`, `/sub/`, `/lp/`, `/pl/`; Nchan: `/sub/`.
   */
  locations?: readonly string[]
  /**
   * The argument that names channels (`push_stream_channels_path $arg_channels`). Default `channels`; Nchan: `channel`.
   */
  argument?: string
  /** Nchan's `nchan_channel_id_split_delimiter`. Default: none, so a URL names one channel. */
  separator?: string
}

/** The channels of a request, or why they can't be read. */
export type RequestedChannels = { readonly channels: readonly string[] } | { readonly refused: string }

const hex = /%(?![\dA-Fa-f]{2})/
// biome-ignore lint/suspicious/noControlCharactersInRegex: in nginx's expressions, `$` may match before a line end
const control = /[\u0000-\u001f\u007f]/

/** Percent-decodes a text, with one character per byte. */
const bytes = (text: string): string =>
  text.replace(/%([\dA-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

function textOf(name: string): string | undefined {
  try {
    // A byte order mark is part of the name.
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return decoder.decode(Uint8Array.from(name, (char) => char.charCodeAt(0)))
  } catch {
    return undefined
  }
}

/**
 * Reads the channels from the URL of the original request, as nginx and its module do. It refuses a URL that no browser
 * writes, or that two readers could understand differently.
 */
export function createReader(settings: SubscriberLocations): (uri: string) => RequestedChannels {
  const { server = 'push-stream', separator } = settings
  const twice = server === 'push-stream'
  const {
    locations = twice ? ['/ws/', '/ev/', '/sub/', '/lp/', '/pl/'] : ['/sub/'],
    argument = twice ? 'channels' : 'channel',
  } = settings
  const prefixes = locations
    .map((path) => `/${path.replace(/^\/+|\/+$/g, '')}/`.replace(/^\/\/$/, '/'))
    .sort((a, b) => b.length - a.length)
  const delimiter = twice ? '/' : separator

  /** The names in the text that the server uses as its channels path. */
  const namesIn = (part: string): string[] | undefined => {
    // A question mark ends the module's decoding, so the rest would stay encoded.
    if (twice && (hex.test(part) || part.includes('?'))) return undefined
    const decoded = twice ? bytes(part) : part
    if (control.test(decoded) || (twice && decoded.includes('?'))) return undefined
    const names: string[] = []
    for (const one of delimiter === undefined ? [decoded] : decoded.split(delimiter)) {
      const name = textOf(twice ? one.replace(/\.b\d+$/, '') : one)
      // The client allows no control characters above ASCII either.
      if (name === undefined || name === '' || /\p{Cc}/u.test(name)) return undefined
      names.push(name)
    }
    return names
  }

  return (uri) => {
    // A browser writes only printable ASCII. For nginx, a number sign ends the URL.
    if (!/^\/[!-~]*$/.test(uri) || /[#\\]/.test(uri)) return { refused: 'no browser sends this URL' }
    const at = uri.indexOf('?')
    const rawPath = at < 0 ? uri : uri.slice(0, at)
    const query = at < 0 ? '' : uri.slice(at + 1)
    if (hex.test(rawPath)) return { refused: 'the path has an invalid percent-encoding' }
    const path = bytes(rawPath)
    if (control.test(path)) return { refused: 'the path has control characters' }
    if (/\/\/|\/\.{1,2}(?:\/|$)/.test(path)) return { refused: 'the path has empty or dot segments' }
    const prefix = prefixes.find((one) => path.startsWith(one) || path === one.slice(0, -1))
    if (prefix === undefined) return { refused: 'the path is not below a location' }
    const rest = path.slice(prefix.length)
    // nginx decides which of the two it uses, so both must be allowed.
    const parts = rest === '' ? [] : [rest]
    for (const pair of query.split('&')) {
      const equals = pair.indexOf('=')
      if (equals >= 0 && pair.slice(0, equals).toLowerCase() === argument.toLowerCase())
        parts.push(pair.slice(equals + 1))
    }
    const channels: string[] = []
    for (const part of parts) {
      const names = namesIn(part)
      if (names === undefined) return { refused: 'a channel name is ambiguous' }
      channels.push(...names)
    }
    if (channels.length === 0) return { refused: 'the URL names no channel' }
    return { channels: [...new Set(channels)] }
  }
}
