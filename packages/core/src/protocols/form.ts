/** The JSON keys of the tokens of push_stream_message_template that matter here. */
export type TemplateKeys = Readonly<Record<'id' | 'channel' | 'text' | 'tag' | 'time' | 'eventid', string>>

/** What a frame says, field by field, as text. */
export type Fields = Partial<Record<keyof TemplateKeys | 'type', string>>

/** How many of tag and time a frame has. */
export const told = ({ tag, time }: { tag?: unknown; time?: unknown }): number =>
  Number(tag !== undefined) + Number(time !== undefined)

/** Finds the fields of a frame by its shape, whatever the body spliced into it. `undefined`: not of this shape. */
export type Shape = (frame: string) => Fields | undefined

/** A text as a regular expression that finds it. */
export const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** A key of JSON as a regular expression. */
export const key = (name: string) => `"${escaped(name)}"\\s*:\\s*`

/** JSON; `undefined` if it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const shape = (...sources: string[]): Shape => {
  const expressions = sources.map((source) => new RegExp(source))
  return (frame) => {
    for (const expression of expressions) {
      const groups = expression.exec(frame)?.groups
      if (groups !== undefined) return groups
    }
    return undefined
  }
}

/** What the frames of a server look like. */
export interface Form {
  readonly shape: Shape
  /** Whether a whole frame is JSON, if its body doesn't break it. */
  readonly json: boolean
  /** What a frame ends with. */
  readonly tail: string
  /** Finds the beginning of a frame. */
  readonly opening: RegExp
  /**
   * Whether a frame that was read by its shape is whole: an end inside the body looks like the frame's own. `next`: another
   * one follows. `least`: how many of tag and time the frames have, where that is known.
   */
  isWhole(frame: string, next: boolean, least?: number): boolean
  /** What the body is where it stands in JSON; `undefined` where it does not. */
  bodyOf(written: string): unknown
}

/**
 * The forms people use: id, channel, text, tag, time and eventid in this order, each but the text left out or not, the text
 * quoted or raw.
 */
export function usualForm(keys: TemplateKeys): Form {
  const comma = ',\\s{0,9}'
  const head =
    `^\\s*\\{\\s*(?:${key(keys.id)}"?(?<id>-?\\d+)"?${comma})?` +
    `(?:${key(keys.channel)}"(?<channel>(?:(?!"${comma}")[^])*)"${comma})?` +
    `${key(keys.text)}(?<quote>"|(?!"))`
  const tag = `${comma}${key(keys.tag)}"?(?<tag>-?\\d+)"?`
  const time = `${comma}${key(keys.time)}"(?<time>[^"]*)"`
  const eventId = `${comma}${key(keys.eventid)}"(?<eventid>[^"]*)"`
  const end = '\\s{0,9}\\}\\s*$'
  return {
    shape: shape(
      `${head}(?<text>[^]*?)\\k<quote>${tag}${time}(?:${eventId})?${end}`,
      // An event id with a quote in it: the last place where the fields can begin is where they do.
      `${head}(?<text>[^]*)\\k<quote>${tag}${time}${eventId.replace('[^"]*', '[^]*?')}${end}`,
      // In a well-known talk the directive has a backslash and a quote too many, which stand behind a raw text.
      `${head}(?<text>[^]*?)\\k<quote>(?:"\\\\)?(?:${tag})?(?:${time})?(?:${eventId})?${end}`,
    ),
    json: true,
    tail: '}',
    // Fields of one's own may come first, which is looked for last: it is the slower half.
    opening: new RegExp(
      `\\{(?:\\s*"(?:${Object.values(keys).map(escaped).join('|')})"\\s*:|[^{}]{0,99}${key(keys.id)}"?-?\\d+"?\\s*,\\s*${key(keys.channel)})`,
    ),
    isWhole(frame, next, least = 2) {
      const end = frame.slice(-1000)
      const found = [keys.tag, keys.time].filter((name) => end.includes(`"${name}"`)).length
      // Where frames have neither, only the next one shows an end.
      return next ? found > 0 || least === 0 : found > 0 && found >= least
    },
    bodyOf: () => undefined,
  }
}

/**
 * Matches a frame of the documented template: id, channel, body, tag, time, event id. To match it and to parse the body
 * takes less time than to parse it all. No quote is in what stands behind the body, so it is where the server put it.
 */
export function usualFrame({ id, channel, text, tag, time, eventid }: TemplateKeys): RegExp {
  const field = (key: string, value: string) => `"${escaped(key)}":${value}`
  const plain = '"([^"\\\\\\0-\\x1f]*)"'
  const before = [field(id, '(\\d+)'), field(channel, plain), field(text, `(?:${plain}|([^]*?))`)]
  const after = [field(tag, '"(\\d+)"'), field(time, plain), field(eventid, plain)]
  return new RegExp(`^\\{${[...before, ...after].join(',')}\\}$`)
}
