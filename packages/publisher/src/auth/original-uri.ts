/** How the locations that pages subscribe at are set up. */
export interface LocationSettings {
  /**
   * `push-stream` (default): a path is percent-decoded twice, by nginx and by the module, an argument once. `nchan`: a
   * path once, an argument not at all.
   */
  server?: 'push-stream' | 'nchan'
  /** The paths below which channels are named, as pages see them. Default `/ws/`, `/ev/`, `/sub/`, `/lp/`, `/pl/`; Nchan: `/sub/`. */
  locations?: readonly string[]
  /** The argument that names channels (`push_stream_channels_path $arg_channels`). Default `channels`; Nchan: `channel`. */
  argument?: string
  /** Nchan's `nchan_channel_id_split_delimiter`. Default: none, and an address names one channel. */
  separator?: string
}

/** What a request asks for, or why that can't be told. */
export type Asked = { readonly channels: readonly string[] } | { readonly refused: string }

const hex = /%(?![\dA-Fa-f]{2})/
// biome-ignore lint/suspicious/noControlCharactersInRegex: to nginx's expressions the end of a line may be the end
const control = /[\u0000-\u001f\u007f]/

/** One character a byte. */
const bytes = (text: string): string =>
  text.replace(/%([\dA-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

function textOf(name: string): string | undefined {
  try {
    // A mark at its beginning is part of the name.
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return decoder.decode(Uint8Array.from(name, (char) => char.charCodeAt(0)))
  } catch {
    return undefined
  }
}

/**
 * Reads the channels out of the address as it was requested, as nginx and the module behind it will. Whatever a browser
 * would not write, or what two readers could understand in two ways, is refused instead of understood.
 */
export function createReader(settings: LocationSettings): (uri: string) => Asked {
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

  /** The names in what the server takes for its channels path. */
  const namesIn = (part: string): string[] | undefined => {
    // A question mark ends the module's decoding, and what follows it stays as it is.
    if (twice && (hex.test(part) || part.includes('?'))) return undefined
    const decoded = twice ? bytes(part) : part
    if (control.test(decoded) || (twice && decoded.includes('?'))) return undefined
    const names: string[] = []
    for (const one of delimiter === undefined ? [decoded] : decoded.split(delimiter)) {
      const name = textOf(twice ? one.replace(/\.b\d+$/, '') : one)
      // Nor has a name of the pages' client any of those above ASCII.
      if (name === undefined || name === '' || /\p{Cc}/u.test(name)) return undefined
      names.push(name)
    }
    return names
  }

  return (uri) => {
    // What is not printable ASCII was not written by a browser; a number sign ends the address for nginx.
    if (!/^\/[!-~]*$/.test(uri) || /[#\\]/.test(uri)) return { refused: 'the address is not one that a browser sends' }
    const at = uri.indexOf('?')
    const rawPath = at < 0 ? uri : uri.slice(0, at)
    const query = at < 0 ? '' : uri.slice(at + 1)
    if (hex.test(rawPath)) return { refused: 'the path has a percent sign that begins nothing' }
    const path = bytes(rawPath)
    if (control.test(path)) return { refused: 'the path has control characters' }
    if (/\/\/|\/\.{1,2}(?:\/|$)/.test(path)) return { refused: 'the path has steps that are empty or dots' }
    const prefix = prefixes.find((one) => path.startsWith(one) || path === one.slice(0, -1))
    if (prefix === undefined) return { refused: 'the path is below none of the locations' }
    const rest = path.slice(prefix.length)
    // Which of them the location looks at is for nginx to say: so both have to be allowed.
    const parts = rest === '' ? [] : [rest]
    for (const pair of query.split('&')) {
      const equals = pair.indexOf('=')
      if (equals >= 0 && pair.slice(0, equals).toLowerCase() === argument.toLowerCase())
        parts.push(pair.slice(equals + 1))
    }
    const channels: string[] = []
    for (const part of parts) {
      const names = namesIn(part)
      if (names === undefined) return { refused: 'a name can’t be read in one way only' }
      channels.push(...names)
    }
    if (channels.length === 0) return { refused: 'no channel is named' }
    return { channels: [...new Set(channels)] }
  }
}
