import { createPollScheduler } from './poll-scheduler.js'
import type { Capabilities } from './protocol.js'

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

/** push_stream_message_template as nginx has it. Made by {@link messageTemplate}. */
export interface MessageTemplate {
  readonly text: string
  readonly shape: Shape
  /** For channels that have a connection each, as their messages do not name them. */
  readonly schedulePolls: Capabilities['schedulePolls']
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
  const parts = template.split(/(~[a-z-]+~)/).map((part) => tokens[part] ?? escaped(part).replace(/\s+/g, '\\s*'))
  const source = parts
    // A channel, an event's id or type ends where the template goes on: were that tried at every such place, a body could
    // make it take for ever.
    .map((part, i) => (parts[i + 1] ? part.replace('[^]*?', () => `(?:(?!${parts[i + 1]})[^])*`) : part))
    .join('')
    // A token that comes twice is captured once.
    .replace(/\(\?<(\w+)>/g, (group, name: string, offset: number, whole: string) =>
      whole.indexOf(group) < offset ? '(?:' : `(?<${name}>`,
    )
  return { text: template, shape: shape(`^\\s*${source}\\s*$`), schedulePolls: createPollScheduler }
}

/** The shapes people use: id, channel, text, tag, time and eventid in this order, each but the text left out or not, the text quoted or raw. */
export function usualShape(keys: TemplateKeys): Shape {
  const key = (name: string) => `"${escaped(name)}"\\s*:\\s*`
  const comma = ',\\s{0,9}'
  const head =
    `^\\s*\\{\\s*(?:${key(keys.id)}(?<id>-?\\d+)${comma})?` +
    `(?:${key(keys.channel)}"(?<channel>(?:(?!"${comma}")[^])*)"${comma})?` +
    `${key(keys.text)}(?<quote>"|(?!"))`
  const tag = `${comma}${key(keys.tag)}"?(?<tag>-?\\d+)"?`
  const time = `${comma}${key(keys.time)}"(?<time>[^"]*)"`
  const eventId = `${comma}${key(keys.eventId)}"(?<eventid>[^"]*)"`
  const end = '\\s{0,9}\\}\\s*$'
  return shape(
    `${head}(?<text>[^]*?)\\k<quote>${tag}${time}${eventId}${end}`,
    // An event id with a quote in it: the last place where the fields can begin is where they do.
    `${head}(?<text>[^]*)\\k<quote>${tag}${time}${eventId.replace('[^"]*', '[^]*?')}${end}`,
    `${head}(?<text>[^]*?)\\k<quote>(?:${tag})?(?:${time})?(?:${eventId})?${end}`,
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
