import { PublisherError } from './errors.js'

const bad = (message: string, cause?: unknown) => new PublisherError('bad-data', message, { cause })

/** A copy of bytes, in whatever they come: who writes into a buffer again doesn't change the message. */
export function binaryOf(data: unknown): Uint8Array | undefined {
  // Not by `instanceof`: where tests run, bytes may be of another realm.
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
  return Object.prototype.toString.call(data) === '[object ArrayBuffer]'
    ? new Uint8Array(data as ArrayBuffer).slice()
    : undefined
}

/** JSON of anything but a text; a text is itself. */
export function serialized(data: unknown): { text: string; json: boolean } {
  if (typeof data === 'string') return { text: data, json: false }
  if (typeof (data as PromiseLike<unknown> | null)?.then === 'function') throw bad('A promise is no data: await it.')
  let text: string | undefined
  try {
    text = JSON.stringify(data)
  } catch (cause) {
    throw bad(`The data can't be written as JSON: ${(cause as Error).message}`, cause)
  }
  if (text === undefined) throw bad(`There is no JSON for ${typeof data}. Publish an object or a text.`)
  return { text, json: true }
}

/** UTF-8 without loss. */
export function bytesOf(text: string): Uint8Array {
  // JSON.stringify escapes them; a text that has them can't be written in UTF-8, and would arrive as another.
  if (/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text)) {
    throw bad('The text has half a surrogate pair in it, which no encoding has a place for.')
  }
  return new TextEncoder().encode(text)
}

const percentEncoded = (text: string) => {
  bytesOf(text)
  return encodeURIComponent(text)
}

/** How `~text~` stands in push_stream_message_template. */
export type TemplateText = 'quoted' | 'raw' | 'alone'

// Readers percent-decode what may have been encoded, so whatever has a percent sign is. Nothing but white space is a ping,
// where a template has no numbers.
const unsafe: Record<Exclude<TemplateText, 'raw'>, RegExp> = {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what breaks a template
  quoted: /["\\%\u0000-\u001f]|^\s*$/,
  // A text that is alone loses the white space around it, and is broken at every line. It must not look like a frame either.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what breaks a template
  alone: /[%\u0000-\u001f]|^\s|\s$/,
}

/** The body that a reader of this template makes the text of again. */
export function forTemplate(data: unknown, template: TemplateText): string {
  const { text, json } = serialized(data)
  if (template === 'raw') return json ? text : JSON.stringify(/%|^\s*$/.test(text) ? percentEncoded(text) : text)
  return unsafe[template].test(text) ? percentEncoded(text) : text
}
