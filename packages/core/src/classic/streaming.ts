import type { Decoder, DecoderContext, Inlet, Protocol } from '../protocols/protocol.js'

/** What the streaming location of the module's sample configuration hands to `p`: through its history, more and more. */
const given: readonly (readonly [token: string, value: string])[] = [
  ['~id~', '-?\\d+'],
  ["'~channel~'", "'(?:(?!'\\s*,)[^])*'"],
  ["'~text~'", "'[^]*'"],
  ["'~event-id~'", "'(?:[^']|'(?!\\s*[,)]))*'"],
  ["'~time~'", "'\\w{3}, [^'<>]*'"],
  ["'~tag~'", "'-?\\d+'"],
]

/** A call with so many of them, and the white space that it is written with. */
const callOf = (count: number) => {
  const values = given.slice(0, count).map(([, value], i) => (i > 0 ? `(\\s*,\\s*)${value}` : value))
  // Without a time in it, two calls could pass for one that has more.
  if (count < 5) values[2] = (values[2] as string).replace('[^]', '(?:(?!<script>)[^])')
  return new RegExp(`^<script>(\\s*)p\\(${values.join('')}(\\s*\\)\\s*;?\\s*)</script>$`)
}

const calls = [6, 5, 4, 3].map(callOf)
/** What comes before the first frame is a header template: a page, with scripts of its own. */
const callBegins = /<script>\s*p\(/
const frameEnd = '</script>'
/** What is no frame after this many characters is none. */
const longest = 2 ** 20

/** The template of the calls in a text, once the first of them is there as a whole. */
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

/** The protocols that read a stream, whichever its template is. */
export interface StreamProtocols {
  /** Of all other locations. */
  readonly usual: Protocol
  /** How a frame of that begins. */
  readonly begins: RegExp
  /** Of calls as in this template. Nothing is called: they are taken apart as text. */
  calling(template: string): Protocol
}

/** Reads a stream of JSON, or of script elements made for an iframe: the first frame shows which. */
export function streamDecoder(
  { usual, begins, calling }: StreamProtocols,
  context: DecoderContext,
  inlet: Inlet,
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
      decoder = choose()?.decoder(context, inlet)
      decoder?.frame(text)
      if (decoder !== undefined) text = ''
    },
    pulse: (pulse) => decoder?.pulse(pulse),
    finish: () => decoder?.finish(),
  }
}
