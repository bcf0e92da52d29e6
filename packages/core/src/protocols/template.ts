import { escaped, type Form, parsed, shape } from './form.js'
import { createPollScheduler } from './poll-scheduler.js'
import type { Capabilities } from './protocol.js'
import { createSplitter } from './split.js'

const tokens: Record<string, string> = {
  '~id~': '(?<id>-?\\d+)',
  '~channel~': '(?<channel>[^]*?)',
  '~text~': '(?<text>[^]*)',
  '~tag~': '(?<tag>-?\\d+)',
  '~time~': '(?<time>[^"\'<>]*?)',
  '~event-id~': '(?<eventid>[^]*?)',
  '~event-type~': '(?<type>[^]*?)',
  '~size~': '\\d+',
}

/** push_stream_message_template as nginx has it. Made by {@link messageTemplate}. */
export interface MessageTemplate extends Form {
  readonly text: string
  /** Messages don't say which channel they are of. */
  readonly unnamed: boolean
  /** For channels that have a connection each, as their messages do not name them. */
  readonly schedulePolls: Capabilities['schedulePolls']
  /** For texts that have nothing between them. */
  readonly createSplitter: typeof createSplitter | undefined
}

/**
 * What stands between two tokens, as a part of a regular expression. White space that touches a token is the server's, or
 * it would be taken for a part of the text; within a literal it need not be the same.
 */
function literalOf(literal: string, first: boolean, last: boolean): string {
  if (literal.trim() === '') return first || last ? `(?:${literal})?` : literal
  return escaped(literal).replace(/\s+/g, (space, at: number, whole: string) =>
    (at > 0 || first) && (at + space.length < whole.length || last) ? '\\s*' : space,
  )
}

const isText = (piece: string) => piece.toLowerCase() === '~text~'

/** The expression that a frame of the template matches. */
function sourceOf(pieces: readonly string[]): string {
  const parts = pieces.map((piece, i) => tokens[piece.toLowerCase()] ?? literalOf(piece, i === 0, !pieces[i + 1]))
  const source = parts
    // A channel, an event's id or type ends where the template goes on: were that tried at every such place, a body could
    // make it take for ever.
    .map((part, i) => {
      const next = parts[i + 1]
      return next && !next.endsWith(')?') ? part.replace('[^]*?', () => `(?:(?!${next})[^])*`) : part
    })
    .join('')
    // A token that comes twice is captured once.
    .replace(/\(\?<(\w+)>/g, (group, name: string, offset: number, whole: string) =>
      whole.indexOf(group) < offset ? '(?:' : `(?<${name}>`,
    )
  // White space at the ends of a frame is the text's where the text is there.
  const edge = (literal = '', token = '') => (literal.trim() === '' && isText(token) ? '' : '\\s*')
  const [begin, end] = [edge(pieces[0], pieces[1]), edge(pieces.at(-1), pieces.at(-2))]
  // What the template ends with is taken off a text that takes all it can get.
  return `^${begin}${source.replace(/(\(\?<text>\[\^\]\*)\)(?=\(\?:\s+\)\?$)/, '$1?)')}${end}$`
}

/**
 * Reads a push_stream_message_template, for the option `messageTemplate`.
 *
 * The last possible end of the text is taken, so a body can't fake the fields that follow it.
 *
 * @param template the text of the directive in nginx's configuration.
 *
 * @example
 * ```ts
 * import { messageTemplate, PushStream } from '@pushstream/core'
 *
 * const stream = new PushStream({ messageTemplate: messageTemplate('<~id~|~channel~> ~text~') })
 * ```
 */
export function messageTemplate(template: string): MessageTemplate {
  const pieces = template.split(/(~(?:id|channel|text|tag|time|event-id|event-type|size)~)/i)
  const at = pieces.findIndex(isText)
  const literals = pieces.filter((_, i) => i % 2 === 0)
  const head = (literals[0] as string).trim()
  // With something harmless for every token.
  const json = typeof (parsed(literals.join('0')) ?? 0) === 'object'
  const tail = ((json ? template.trim() : literals) as string[] | string).at(-1) as string
  const quotes = pieces.slice(0, at).join('').replace(/\\./g, '').split('"').length - 1
  const unnamed = !/~channel~/i.test(template)
  return {
    text: template,
    shape: shape(sourceOf(pieces)),
    json,
    tail,
    opening: new RegExp(escaped(head).replace(/\s+/g, '\\s*')),
    isWhole: (_, next) => next || pieces.length - at > 2,
    bodyOf(written) {
      // Markers may stand around the JSON.
      if (json || /\{\s*"/.test(head)) return parsed(quotes % 2 === 1 ? `"${written}"` : written)
      return undefined
    },
    unnamed,
    schedulePolls: unnamed ? createPollScheduler : undefined,
    createSplitter: tail + head === '' ? createSplitter : undefined,
  }
}
