/** What stands between two empty lines of an event stream. */
export interface ServerSentEvent {
  /** The lines of data, joined. `undefined`: there were none, so by the standard this is not an event. */
  data: string | undefined
  /** `undefined` where the block names no type. */
  event: string | undefined
  /** The id that this block sets. `undefined`: the last one stays. */
  id: string | undefined
}

/** What a parser calls back with, in the order of the stream. */
export interface SseEvents {
  /** A block that had a field of any name. */
  event(event: ServerSentEvent): void
  comment?(text: string): void
  retry?(ms: number): void
}

/**
 * Reads Server-Sent Events by the letter of the HTML standard, piece by piece. A block that is incomplete when the stream
 * ends is dropped. The byte order mark is the text decoder's.
 *
 * @returns what takes a piece, and says whether comments were all that the piece completed.
 */
export function createSseParser(events: SseEvents): (piece: string) => boolean {
  /** The beginning of a line. */
  let begun = ''
  /** The last piece ended with a carriage return: a line feed that follows belongs to it. */
  let returned = false
  let block: ServerSentEvent | undefined

  /** Whether it is a comment; `undefined` for an empty line. */
  function line(text: string): boolean | undefined {
    if (text === '') {
      const complete = block
      block = undefined
      if (complete) events.event(complete)
      return undefined
    }
    const colon = text.indexOf(':')
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === '') {
      events.comment?.(value)
      return true
    }
    block ??= { data: undefined, event: undefined, id: undefined }
    if (field === 'data') block.data = block.data === undefined ? value : `${block.data}\n${value}`
    else if (field === 'event') block.event = value || undefined
    else if (field === 'id' && !value.includes('\0')) block.id = value
    else if (field === 'retry' && /^\d+$/.test(value)) events.retry?.(Number(value))
    return false
  }

  return (piece) => {
    const rest = returned && piece[0] === '\n' ? piece.slice(1) : piece
    if (piece !== '') returned = piece.endsWith('\r')
    // Most servers send no carriage return, and a plain text is faster to split by than an expression.
    const lines = (rest.includes('\r') ? rest.replace(/\r\n?/g, '\n') : rest).split('\n')
    lines[0] = begun + lines[0]
    begun = lines.pop() as string
    const found = lines.map(line)
    return found.includes(true) && !found.includes(false)
  }
}
