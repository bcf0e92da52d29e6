/** What a stream has in it, in order. */
export interface StreamEvents {
  /** An event. `id`: the last event id by then. */
  event(type: string, data: string, id: string): void
  /** The last event id, after every block, also of one without data. */
  id(id: string): void
  retry(ms: number): void
}

/**
 * Reads an event stream by the letter of the HTML standard, piece by piece. `id`: the last event id it begins with. An event
 * that isn't complete when the stream ends is none.
 *
 * @returns what takes a piece, and says whether comments were all that it completed.
 */
export function createStreamParser(id: string, events: StreamEvents): (piece: string) => boolean {
  /** The beginning of a line. */
  const begun: string[] = []
  /** The piece before ended with a carriage return: a line feed that follows belongs to it. */
  let returned = false
  let type = ''
  let data: string | undefined
  let comments = false
  let fields = false

  function line(text: string): void {
    if (text === '') {
      events.id(id)
      if (data !== undefined) events.event(type || 'message', data, id)
      type = ''
      data = undefined
      return
    }
    const colon = text.indexOf(':')
    if (colon === 0) {
      comments = true
      return
    }
    fields = true
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`
    else if (field === 'event') type = value
    else if (field === 'id' && !value.includes('\0')) id = value
    else if (field === 'retry' && /^\d+$/.test(value)) events.retry(Number(value))
  }

  return (piece) => {
    comments = fields = false
    let from = returned && piece[0] === '\n' ? 1 : 0
    if (piece !== '') returned = false
    for (let at = from; at < piece.length; at++) {
      const code = piece.charCodeAt(at)
      if (code !== 10 && code !== 13) continue
      begun.push(piece.slice(from, at))
      if (code === 13 && piece[at + 1] === '\n') at++
      else if (code === 13 && at + 1 === piece.length) returned = true
      from = at + 1
      line(begun.splice(0).join(''))
    }
    if (from < piece.length) begun.push(piece.slice(from))
    return comments && !fields
  }
}
