/** One part of a multipart text. */
export interface Part {
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** Headers as they stand in a text, a line each. */
export function headersOf(text: string): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  return headers
}

/**
 * Takes multipart/mixed apart as it comes. A part is complete when the boundary behind it is there, which the server
 * sends along with it. The boundary is what the text begins with.
 */
export function createMultipart(part: (part: Part) => void): (piece: string) => void {
  let boundary: string | undefined
  // What came since the last boundary. It is put together only when the next one is there: a large part comes in many.
  let pieces = ['\r\n']
  let tail = ''
  return (piece) => {
    pieces.push(piece)
    if (boundary === undefined) {
      pieces = [pieces.join('')]
      const found = /^\r\n(?:\r\n)?(--[^\r\n]+)\r\n/.exec(pieces[0] as string)
      if (found === null) return
      boundary = `\r\n${found[1]}`
    } else {
      // The boundary may come in two pieces.
      tail = (tail + piece).slice(-(boundary.length - 1) - piece.length)
      if (!tail.includes(boundary)) return
    }
    const texts = pieces.join('').split(boundary)
    const rest = texts.pop() as string
    for (const text of texts) {
      const head = text.indexOf('\r\n\r\n')
      if (head >= 0) part({ headers: headersOf(text.slice(0, head)), body: text.slice(head + 4) })
    }
    pieces = [rest]
    tail = rest
  }
}
