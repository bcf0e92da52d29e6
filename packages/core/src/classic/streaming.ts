import type { Decoder, DecoderContext, DecoderEvents, Protocol } from '../protocols/protocol.js'

/** The arguments of `p` in the module's sample configuration. Older versions of it have only the first ones. */
const given: readonly (readonly [token: string, value: string])[] = [
  ['~id~', '-?\\d+'],
  ["'~channel~'", "'(?:(?!'\\s*,)[^])*'"],
  ["'~text~'", "'[^]*'"],
  ["'~event-id~'", "'(?:[^']|'(?!\\s*[,)]))*'"],
  ["'~time~'", "'\\w{3}, [^'<>]*'"],
  ["'~tag~'", "'-?\\d+'"],
]

/** Matches a call with this many arguments, and captures its white space. */
const callOf = (count: number) => {
  const values = given.slice(0, count).map(([, value], i) => (i > 0 ? `(\\s*,\\s*)${value}` : value))
  // Without a time among the arguments, two calls could match as one.
  if (count < 5) values[2] = (values[2] as string).replace('[^]', '(?:(?!<script>)[^])')
  return new RegExp(`^<script>(\\s*)p\\(${values.join('')}(\\s*\\)\\s*;?\\s*)</script>$`)
}

const calls = [6, 5, 4, 3].map(callOf)
/** The beginning of a call. A header template with scripts of its own may precede the first one. */
const callBegins = /<script>\s*p\(/
const frameEnd = '</script>'
/** After this many characters without a frame, the template is taken for the usual one. */
const longest = 2 ** 20

/** The template of the calls in a text; `undefined` until the first call is complete. */
function templateOf(text: string): string | undefined {
  for (const call of calls) {
    for (let end = text.indexOf(frameEnd); end >= 0; end = text.indexOf(frameEnd, end + 1)) {
      const found = call.exec(text.slice(0, end + frameEnd.length))
      if (found === null) continue
      const [, before, ...spaces] = found
      const values = given.slice(0, spaces.length).map(([token], i) => `${token}${spaces[i]}`)
      return `<script>${before}p(${values.join('')}</script>`
    }
  }
  return undefined
}

/** The protocols for the possible templates of a stream. */
export interface StreamProtocols {
  /** The protocol of all other locations. */
  readonly usual: Protocol
  /** The beginning of a frame of `usual`. */
  readonly begins: RegExp
  /** The protocol for calls as in this template. They are parsed as text, and never executed. */
  calling(template: string): Protocol
}

/** Reads a stream of JSON, or of script elements made for an iframe: the first frame shows which. */
export function streamDecoder(
  { usual, begins, calling }: StreamProtocols,
  context: DecoderContext,
  events: DecoderEvents,
): Decoder {
  let decoder: Decoder | undefined
  let text = ''
  const choose = (): Protocol | undefined => {
    const call = text.search(callBegins)
    const frame = text.search(begins)
    if (frame >= 0 && (call < 0 || frame < call)) return usual
    const template = call < 0 ? undefined : templateOf(text.slice(call))
    if (template !== undefined) return calling(template)
    return text.length > longest ? usual : undefined
  }
  return {
    frame(piece, meta) {
      if (decoder !== undefined) return decoder.frame(piece, meta)
      text += piece
      decoder = choose()?.decoder(context, events)
      decoder?.frame(text)
      if (decoder !== undefined) text = ''
    },
    pulse: (pulse) => decoder?.pulse(pulse),
    finish: () => decoder?.finish(),
  }
}
