import type { Decoder, DecoderContext, Inlet, Protocol } from '../protocols/protocol.js'
import { templateShape } from '../protocols/template.js'

/** The calls in the streaming location of the module's sample configuration, through its history, the longest first. */
const calls = [
  "~id~,'~channel~','~text~','~event-id~','~time~','~tag~'",
  "~id~,'~channel~','~text~','~event-id~','~time~'",
  "~id~,'~channel~','~text~','~event-id~'",
  "~id~,'~channel~','~text~'",
].map((call) => `<script>p(${call.replaceAll(',', ', ')});</script>`)

const shapes = calls.map((call) => [call, templateShape(call)] as const)
/** What comes before the first frame is a header template: a page, with scripts of its own. */
const callBegins = /<script>\s*p\(/
const frameEnd = '</script>'
/** What is no frame after this many characters is none. */
const longest = 2 ** 20

/** The template of the calls in a text, once the first of them is there as a whole. */
function templateOf(text: string): string | undefined {
  for (const [call, shape] of shapes) {
    for (let end = text.indexOf(frameEnd); end >= 0; end = text.indexOf(frameEnd, end + 1)) {
      const fields = shape(text.slice(0, end + frameEnd.length))
      if (fields !== undefined && !Number.isNaN(Date.parse(fields.time ?? '1970-01-01'))) return call
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
