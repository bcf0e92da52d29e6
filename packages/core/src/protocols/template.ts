import { createPollScheduler } from './poll-scheduler.js'
import type { Capabilities } from './protocol.js'
import { createSplitter } from './split.js'

/** The tokens of push_stream_message_template that matter here, and the options that name their JSON keys. */
export interface TemplateKeys {
  readonly id: string
  readonly channel: string
  readonly text: string
  readonly tag: string
  readonly time: string
  readonly eventId: string
}

/** What a frame says, field by field, as text. */
export type Fields = Partial<Record<'id' | 'channel' | 'text' | 'tag' | 'time' | 'eventid' | 'type', string>>

/** Finds the fields of a frame by its shape, whatever the body spliced into it. `undefined`: not of this shape. */
export type Shape = (frame: string) => Fields | undefined

/** A text as a regular expression that finds it. */
export const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** JSON; `undefined` if it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const shape = (...sources: string[]): Shape => {
  const expressions = sources.map((source) => new RegExp(source))
  return (frame) => {
    for (const expression of expressions) {
      const groups = expression.exec(frame)?.groups
      if (groups !== undefined) return groups
    }
    return undefined
  }
}

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
export interface MessageTemplate {
  readonly text: string
  readonly shape: Shape
  /** How the body stands in JSON, where the template is some: as a text with escapes, or as JSON of its own. */
  readonly body: 'quoted' | 'raw' | undefined
  /** Whether a whole frame is JSON, if its body doesn't break it. */
  readonly json: boolean
  /** What stands between the tokens, with what stands before the first and after the last. */
  readonly literals: readonly string[]
  /** The same behind the body, without white space at the end. */
  readonly after: readonly string[]
  /** For channels that have a connection each, as their messages do not name them. */
  readonly schedulePolls: Capabilities['schedulePolls']
  /** For texts that have nothing between them. */
  readonly createSplitter: typeof createSplitter
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
 * Reads a push_stream_message_template, for the option `messageTemplate`:
 *
 * ```ts
 * new PushStream({ messageTemplate: messageTemplate('<~id~|~channel~> ~text~') })
 * ```
 *
 * The last possible end of the text is taken, so a body can't fake the fields that follow it.
 *
 * @param template the text of the directive in nginx's configuration.
 */
export function messageTemplate(template: string): MessageTemplate {
  const pieces = template.split(/(~(?:id|channel|text|tag|time|event-id|event-type|size)~)/i)
  const at = pieces.findIndex(isText)
  const literals = pieces.filter((_, i) => i % 2 === 0)
  // With something harmless for every token.
  const json = typeof (parsed(literals.join('0')) ?? 0) === 'object'
  const quotes = pieces.slice(0, at).join('').replace(/\\./g, '').split('"').length - 1
  return {
    text: template,
    shape: shape(sourceOf(pieces)),
    // Markers may stand around the JSON.
    body: json || /\{\s*"/.test(literals[0] as string) ? (quotes % 2 === 1 ? 'quoted' : 'raw') : undefined,
    json,
    literals,
    after: literals
      .slice(at / 2 + 0.5)
      .map((literal, i, all) => (all[i + 1] === undefined ? literal.trimEnd() : literal)),
    schedulePolls: createPollScheduler,
    createSplitter,
  }
}

/** The shapes people use: id, channel, text, tag, time and eventid in this order, each but the text left out or not, the text quoted or raw. */
export function usualShape(keys: TemplateKeys): Shape {
  const key = (name: string) => `"${escaped(name)}"\\s*:\\s*`
  const comma = ',\\s{0,9}'
  const head =
    `^\\s*\\{\\s*(?:${key(keys.id)}"?(?<id>-?\\d+)"?${comma})?` +
    `(?:${key(keys.channel)}"(?<channel>(?:(?!"${comma}")[^])*)"${comma})?` +
    `${key(keys.text)}(?<quote>"|(?!"))`
  const tag = `${comma}${key(keys.tag)}"?(?<tag>-?\\d+)"?`
  const time = `${comma}${key(keys.time)}"(?<time>[^"]*)"`
  const eventId = `${comma}${key(keys.eventId)}"(?<eventid>[^"]*)"`
  const end = '\\s{0,9}\\}\\s*$'
  return shape(
    `${head}(?<text>[^]*?)\\k<quote>${tag}${time}(?:${eventId})?${end}`,
    // An event id with a quote in it: the last place where the fields can begin is where they do.
    `${head}(?<text>[^]*)\\k<quote>${tag}${time}${eventId.replace('[^"]*', '[^]*?')}${end}`,
    // In a well-known talk the directive has a backslash and a quote too many, which stand behind a raw text.
    `${head}(?<text>[^]*?)\\k<quote>(?:"\\\\)?(?:${tag})?(?:${time})?(?:${eventId})?${end}`,
  )
}

/**
 * Matches a frame of the documented template: id, channel, body, tag, time, event id. To match it and to parse the body
 * takes less time than to parse it all. No quote is in what stands behind the body, so it is where the server put it.
 */
export function usualFrame({ id, channel, text, tag, time, eventId }: TemplateKeys): RegExp {
  const field = (key: string, value: string) => `"${escaped(key)}":${value}`
  const plain = '"([^"\\\\\\0-\\x1f]*)"'
  const before = [field(id, '(\\d+)'), field(channel, plain), field(text, `(?:${plain}|([^]*?))`)]
  const after = [field(tag, '"(\\d+)"'), field(time, plain), field(eventId, plain)]
  return new RegExp(`^\\{${[...before, ...after].join(',')}\\}$`)
}
