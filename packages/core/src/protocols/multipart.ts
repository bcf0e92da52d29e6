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
  let rest = '\r\n'
  let scanned = 0
  return (piece) => {
    rest += piece
    if (boundary === undefined) {
      const found = /^\r\n(?:\r\n)?(--[^\r\n]+)\r\n/.exec(rest)
      if (found === null) return
      boundary = `\r\n${found[1]}`
    }
    let end = rest.indexOf(boundary, scanned)
    while (end >= 0) {
      const text = rest.slice(0, end)
      const head = text.indexOf('\r\n\r\n')
      if (head >= 0) part({ headers: headersOf(text.slice(0, head)), body: text.slice(head + 4) })
      rest = rest.slice(end + boundary.length)
      end = rest.indexOf(boundary)
    }
    // The boundary may come in two pieces.
    scanned = Math.max(0, rest.length - boundary.length)
  }
}
