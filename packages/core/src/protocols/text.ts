/**
 * How the text of a message is read.
 *
 * - `auto`: percent-decoded only when the whole of it can be the output of `encodeURIComponent`, else taken as it is.
 * - `encoded`: percent-decoded wherever that is possible. For publishers that always encode.
 * - `plain`: taken as it is. For publishers that never encode.
 */
export type TextEncoding = 'auto' | 'encoded' | 'plain'

const encodedOnly = /^(?:[\w\-.!~*'()]|%[\dA-F]{2})*$/

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A sequence that is no UTF-8 was not made by encodeURIComponent: it is the text itself.
    return text
  }
}

/** Makes the reader of texts. It never throws. */
export function textReader(encoding: TextEncoding): (text: string) => string {
  if (encoding === 'plain') return (text) => text
  if (encoding === 'encoded') return (text) => (text.includes('%') ? decoded(text) : text)
  return (text) => (text.includes('%') && encodedOnly.test(text) ? decoded(text) : text)
}
