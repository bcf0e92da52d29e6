import { PublisherError } from './errors.js'

const bad = (message: string, cause?: unknown) => new PublisherError('bad-data', message, { cause })

/**
 * A copy of bytes, so that later writes to the buffer don't change the message. `undefined` if the data is not binary.
 */
export function binaryOf(data: unknown): Uint8Array | undefined {
  // Not with `instanceof`: in test runners, bytes may be of another realm.
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
  return Object.prototype.toString.call(data) === '[object ArrayBuffer]'
    ? new Uint8Array(data as ArrayBuffer).slice()
    : undefined
}

/** The text of a message: a string as it is, anything else as JSON. */
export function serialized(data: unknown): { text: string; json: boolean } {
  if (typeof data === 'string') return { text: data, json: false }
  if (typeof (data as PromiseLike<unknown> | null)?.then === 'function') throw bad('The data is a promise: await it.')
  let text: string | undefined
  try {
    text = JSON.stringify(data)
  } catch (cause) {
    throw bad(`The data can't be written as JSON: ${(cause as Error).message}`, cause)
  }
  if (text === undefined) throw bad(`${typeof data} can't be written as JSON. Publish an object or a string.`)
  return { text, json: true }
}

/** The text as UTF-8. Throws if that would lose anything. */
export function bytesOf(text: string): Uint8Array {
  // JSON.stringify escapes lone surrogates. In a text they can't be written in UTF-8, so it would arrive changed.
  if (/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text)) {
    throw bad('The text contains half a surrogate pair, which cannot be encoded.')
  }
  return new TextEncoder().encode(text)
}

const percentEncoded = (text: string) => {
  bytesOf(text)
  return encodeURIComponent(text)
}

/** How push_stream_message_template contains `~text~`: in quotes, as raw JSON, or nothing else. */
export type TemplateText = 'quoted' | 'raw' | 'alone'

// Characters that need percent-encoding. Readers decode every text that may be encoded, so a percent sign is encoded,
// too. A text of only white space would be read as a ping if the template has no numbers.
const unsafe: Record<Exclude<TemplateText, 'raw'>, RegExp> = {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they break a template
  quoted: /["\\%\u0000-\u001f]|^\s*$/,
  // A text alone loses the white space around it, and is split at every line.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they break a template
  alone: /[%\u0000-\u001f]|^\s|\s$/,
}

/** The body from which a reader of this template gets the text back. */
export function forTemplate(data: unknown, template: TemplateText): string {
  const { text, json } = serialized(data)
  if (template === 'raw') return json ? text : JSON.stringify(/%|^\s*$/.test(text) ? percentEncoded(text) : text)
  return unsafe[template].test(text) ? percentEncoded(text) : text
}
