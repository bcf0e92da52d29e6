import { untilAborted } from './aborts.js'

/** The text that comes in pieces, until the signal is aborted. Throws what `refuse` makes of bytes that are no UTF-8. */
export async function* textsOf(
  parts: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
  refuse: () => Error,
): AsyncGenerator<string, void, undefined> {
  // A mark at the beginning is part of the text. What can't be read would be published as something else.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const decoded = (part?: Uint8Array) => {
    try {
      return decoder.decode(part, { stream: part !== undefined })
    } catch {
      throw refuse()
    }
  }
  for await (const part of untilAborted(parts, signal)) yield decoded(part)
  if (!signal?.aborted) yield decoded()
}

/** The lines of it that are not empty, each as soon as it is there. */
export async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let begun = ''
  const one = (line: string) => line.replace(/\r$/, '')
  for await (const text of texts) {
    const lines = (begun + text).split('\n')
    begun = lines.pop() as string
    for (const line of lines) if (one(line) !== '') yield one(line)
  }
  if (one(begun) !== '') yield one(begun)
}
