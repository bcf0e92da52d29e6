import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { positionOf } from '../../src/position.js'
import { anyString, runs } from './support/runs.js'
import { kinds } from './support/wanted.js'
import {
  chunks,
  decoded,
  type Read,
  read,
  readEvents,
  reading,
  render,
  type Seen,
  second,
  templates,
  textFrames,
} from './support/wire.js'

const raw = { messageTemplate: templates.raw }

/** Bodies of the transcripts 08: as published, as a quoted template brings them, as a raw one does. */
const bodies: readonly [published: string, quoted: string, raw?: unknown][] = [
  ['he said "hi"', 'he said "hi"'],
  ['a\\nb\\"', 'a\nb"', 'a\\nb\\"'],
  ['l1\nl2', 'l1\nl2'],
  ['l1\r\n\r\nl2\r\n', 'l1\r\n\r\nl2\r\n'],
  ['é€😀', 'é€😀'],
  ['a\u2028b', 'a\u2028b'],
  ['x ~text~ ~id~ y', 'x ~text~ ~id~ y'],
  ['a%20%22b%22%0A%C3%A9', 'a "b"\né'],
  ['a\tb', 'a\tb'],
  ['{"k":"v\\"w","n":[1,2]}', '{"k":"v\\"w","n":[1,2]}', { k: 'v"w', n: [1, 2] }],
  ['{\n "k": 1\n}', '{\n "k": 1\n}', { k: 1 }],
  ['a\ufffd\ufffdb', 'a\ufffd\ufffdb'],
  ['a\0b\nc', 'a\0b\nc'],
  ['   ', '   '],
]

describe('the transcripts', () => {
  test('08: every body, over a websocket', () => {
    const { seen } = read('websocket', textFrames('08-text-escaping-websocket'))
    expect(seen).toEqual(bodies.map(([, text], i) => ['message', i + 1, 'tis3uwr', text]))
  })

  test('08: every body, as events', () => {
    // The server drops empty lines, and a NUL ends its line-wise splicing: that one is dead, but keeps its place.
    const lost: Record<number, string> = { 4: 'l1\nl2' }
    const { seen } = readEvents(decoded(chunks('08-text-escaping-eventsource')).join(''))
    expect(seen.map((entry) => (entry[1] === 13 ? entry.slice(0, 3) : entry))).toEqual(
      bodies.map(([, text], i) =>
        i === 12 ? ['place', 13, 'tis3uwr'] : ['message', i + 1, 'tis3uwr', lost[i + 1] ?? text],
      ),
    )
  })

  test.each([
    ['stream', 0],
    ['websocket', 1],
    ['longpolling', 2],
  ] as const)('08: raw template, %s, with or without being told the template', (kind, connection) => {
    const transcript = '08-raw-template-control-messages'
    const frames = kind === 'websocket' ? textFrames(transcript, 1) : decoded(chunks(transcript, connection))
    const message: Seen = ['message', 1, 'rx7h73m', { ok: true }]
    const deleted: Seen = ['deleted', 'rx7h73m', 'Channel deleted']
    const seen = { stream: [message, ['ping'], deleted], websocket: [message, deleted], longpolling: [message] }
    for (const settings of [{}, raw]) expect(read(kind, frames, settings).seen).toEqual(seen[kind])
  })

  test('12: a batch, each a message', () => {
    const { seen } = read('longpolling', [decoded(chunks('12-longpoll-batch')).join('')])
    expect(seen).toEqual([2, 3, 4].map((id) => ['message', id, 'gcs4zky', `}{"${id - 1}`.replace('"', '"')]))
  })

  test.each([
    ['01-websocket-ttl-header-footer', 'websocket', [['dead', 'HEAD-LINE1\r\nHEAD-LINE2'], 1, ['dead', 'FOOT']]],
    ['01-streaming-ttl-header-footer', 'stream', [1, ['ping']]],
    ['01-longpolling-header-footer', 'longpolling', [1]],
    ['01-padding', 'stream', [1]],
  ] as const)('01: header, footer and padding: %s', (transcript, kind, expected) => {
    const frames = kind === 'websocket' ? textFrames(transcript) : decoded(chunks(transcript))
    const { seen } = read(kind, frames)
    expect(seen.map((entry) => (entry[0] === 'message' ? entry[1] : entry))).toEqual(expected)
  })

  test.each([
    ['01-eventsource-ttl-header-footer', 0, 'ttt', ['message', 1, 'tev', 'hi']],
    ['01-padding', 1, 'ttt', ['message', 1, 'pev', 'hi']],
  ] as const)('01: comments are no messages: %s', (transcript, connection, _, message) => {
    const { seen } = readEvents(decoded(chunks(transcript, connection)).join(''))
    expect(seen.filter(([what]) => what !== 'ping')).toEqual([message])
  })

  test.each([
    ['told, the text is found', true],
    ['not told, what can be read is', false],
  ])('04: ids and types of the publisher, and fields of one’s own: the template %s', (_, told) => {
    const messageTemplate =
      '{"id":~id~,"channel":"~channel~","text":"~text~","size":~size~,"tag":"~tag~","time":"~time~","eventid":"~event-id~","type":"~event-type~"}'
    const { messages, seen } = readEvents(
      decoded(chunks('04-event-id-event-type')).join(''),
      told ? { messageTemplate } : {},
    )
    if (!told) {
      expect(seen[2]?.slice(0, 3)).toEqual(['place', 3, 'ciswddd'])
      messages.pop()
    }
    expect(
      messages.map(({ id, text, eventId, eventType }) => [id, text, eventId || undefined, eventType || undefined]),
    ).toEqual([
      [1, 'typed', 'id-1', 'price'],
      [2, 'nothing', undefined, undefined],
      ...(told ? [[3, 'q"t', 'a"b c\\', 'x y']] : []),
    ])
  })
})

describe('one frame', () => {
  const all = kinds.flatMap((kind) =>
    Object.entries(templates).map(([name, template]) => [kind, name, template] as const),
  )

  test.each(all)('every body: %s, %s', (kind, name, template) => {
    bodies.forEach(([published, quoted, object], i) => {
      const want = name === 'raw' ? (object ?? (i === 7 ? quoted : published)) : quoted
      for (const settings of [{}, { messageTemplate: template }]) {
        const { seen, messages } = read(kind, [render(template, i + 1, published)], settings)
        // White space before a raw text is the template's, unless it is told.
        const trimmed = name === 'raw' && i === 13 && !('messageTemplate' in settings) ? '' : want
        expect(seen).toEqual([['message', i + 1, 'a', trimmed]])
        if (name !== 'short')
          expect([messages[0]!.position, messages[0]!.tag]).toEqual([positionOf(Date.parse(second), i + 1), i + 1])
      }
    })
  })

  test.each(all)('ping, deleted, timed out: %s, %s', (kind, _, template) => {
    const frames = [
      render(template, -1, ' ', ''),
      render(template, -2, 'Channel deleted'),
      render(template, -2, 'gone "for" good'),
      render(template, -3, 'Timed out', ''),
    ]
    for (const settings of [{}, { messageTemplate: template }]) {
      const seen = frames.flatMap((frame) => read(kind, [frame], settings).seen)
      expect(seen).toEqual([['ping'], ['deleted', 'a', 'Channel deleted'], ['deleted', 'a', 'gone "for" good']])
    }
  })

  test('the comment of an event stream is a ping when the server says so', () => {
    const made = reading('eventsource')
    for (const text of ['', ' HEAD', ' -1', '-1', ':::::', '-2']) made.pulse(text)
    expect(made.seen).toEqual([['ping'], ['ping']])
  })

  test.each<[string, string, Parameters<typeof read>[2], Seen]>([
    [
      'renamed keys',
      '{"i":7,"c":"a","t":"say "hi"","g":"7","z":"Fri, 20 Nov 2026 22:23:28 GMT","e":"x"}',
      { jsonIdKey: 'i', jsonChannelKey: 'c', jsonTextKey: 't', jsonTagKey: 'g', jsonTimeKey: 'z', jsonEventIdKey: 'e' },
      ['message', 7, 'a', 'say "hi"'],
    ],
    [
      'keys that mean something to an expression',
      '{"$id":7,"c(h)":"a","text.":"say "hi""}',
      { jsonIdKey: '$id', jsonChannelKey: 'c(h)', jsonTextKey: 'text.' },
      ['message', 7, 'a', 'say "hi"'],
    ],
    ['no channel', '{"id":7,"text":"say "hi""}', {}, ['message', 7, 'only', 'say "hi"']],
    ['no id', '{"channel":"a","text":"x"}', {}, ['message', undefined, 'a', 'x']],
    ['text alone', '{"text":"x"}', {}, ['message', undefined, 'only', 'x']],
    ['id as text', '{"id":"7","channel":"a","text":"x"}', {}, ['message', 7, 'a', 'x']],
    ['another order', '{"text":"x","channel":"a","id":7}', {}, ['message', 7, 'a', 'x']],
    [
      'another order, told, with a body that breaks it',
      '{"text":"say "hi"","channel":"a","id":7}',
      { messageTemplate: '{"text":"~text~","channel":"~channel~","id":~id~}' },
      ['message', 7, 'a', 'say "hi"'],
    ],
    ['nothing but the text', 'say "hi"', { messageTemplate: '~text~' }, ['message', undefined, 'only', 'say "hi"']],
    [
      'a script',
      `<script>p(7,'a','say 'hi'',1,'Fri, 20 Nov 2026 22:23:28 GMT')</script>`,
      { messageTemplate: `<script>p(~id~,'~channel~','~text~',~tag~,'~time~')</script>` },
      ['message', 7, 'a', `say 'hi'`],
    ],
    [
      'fields of one’s own',
      '{"v":1,"id":7,"channel":"a","text":"say "hi"","size":8}',
      { messageTemplate: '{"v":1,"id":~id~,"channel":"~channel~","text":"~text~","size":~size~}' },
      ['message', 7, 'a', 'say "hi"'],
    ],
    [
      'an id told twice',
      '7: {"id":7,"channel":"a","text":"x"}',
      { messageTemplate: '~id~: {"id":~id~,"channel":"~channel~","text":"~text~"}' },
      ['message', 7, 'a', 'x'],
    ],
  ])('%s', (_, frame, settings, seen) => {
    for (const kind of kinds) expect(read(kind, [frame], settings, 'only').seen).toEqual([seen])
  })

  test.each<[string, string, Seen]>([
    ['not JSON', 'HTTP/1.1 502', ['dead', 'HTTP/1.1 502']],
    ['empty', '', ['dead', '']],
    ['another JSON', '{"hello":1}', ['dead', '{"hello":1}']],
    ['null', 'null', ['dead', 'null']],
    ['a list', '[1]', ['dead', '[1]']],
    [
      'half a frame keeps its place',
      '{"id":7,"channel":"a","text":"hal',
      ['place', 7, 'a', '{"id":7,"channel":"a","text":"hal'],
    ],
    ['no channel among several', '{"id":7,"text":"x"}', ['dead', 'x']],
  ])('dead letters: %s', (_, frame, seen) => {
    for (const kind of ['websocket', 'eventsource'] as const) expect(read(kind, [frame]).seen).toEqual([seen])
  })

  test('several lines of one event are one body', () => {
    const lines = ['one', 'two "quoted"', '%20'].map((text) => render(templates.quoted, 3, text))
    expect(read('eventsource', [lines.join('\n')]).seen).toEqual([['message', 3, 'a', 'one\ntwo "quoted"\n%20']])
  })

  test.each([
    ['id and tag as texts, raw', '{"id":"~id~","channel":"~channel~","text":~text~,"tag":"~tag~","time":"~time~"}'],
    ['no event id, raw', '{"id":~id~,"channel":"~channel~","text":~text~,"tag":"~tag~","time":"~time~"}'],
    ['a tag as a number, raw', '{"id":~id~,"channel":"~channel~","text":~text~,"tag":~tag~,"time":"~time~"}'],
  ])('JSON printed for people comes line by line, the template not told: %s → one body', (_, template) => {
    const body = JSON.stringify({ n: 1, text: 'a "b"', list: ['x', null, true] }, undefined, 2)
    const frame = body.split('\n').map((line) => render(template, 3, line))
    const { seen } = read('eventsource', [frame.join('\n')])
    expect(seen.map(([, id, channel, text]) => [id, channel, JSON.parse(String(text))])).toEqual([
      [3, 'a', JSON.parse(body)],
    ])
  })

  test.each(kinds)('an id as text, and a body that breaks the JSON: %s → the body', (kind) => {
    const template = '{"id":"~id~","channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~"}'
    const { seen } = read(kind, [render(template, 3, 'say "hi"')])
    expect(seen).toEqual([['message', 3, 'a', 'say "hi"']])
  })

  test.each(['{"v":1,"type":"message",', '{"type":"~event-type~","size":~size~,', '{\n  "at": "~time~",\n  '])(
    'fields of one’s own before the id, the template not told: %j → every message, in every mode',
    (head) => {
      const template = `${head}"id":~id~,"channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~"}`
      const frames = ['1', '%22x%22', '3'].map((text, i) => render(template, i + 1, text))
      for (const kind of ['stream', 'longpolling'] as const) {
        for (const pieces of [frames, [frames.join('')]]) {
          expect(read(kind, pieces).seen).toEqual(['1', '"x"', '3'].map((text, i) => ['message', i + 1, 'a', text]))
        }
      }
    },
  )

  test('a header template of white space, by websocket → no message and no dead letter', () => {
    const message = render(templates.quoted, 3, 'x')
    for (const settings of [{}, { messageTemplate: templates.quoted }]) {
      expect(read('websocket', [' ', message], settings).seen).toEqual([['ping'], ['message', 3, 'a', 'x']])
    }
  })

  test('lines of different messages are not one', () => {
    const frame = [render(templates.quoted, 3, 'one'), render(templates.quoted, 4, 'two')].join('\n')
    const { seen } = read('eventsource', [frame])
    expect(seen.filter(([what, id]) => what === 'message' && id === 4)).toEqual([])
  })
})

describe('a body that breaks its frame, in a stream whose template has no id and is not told', () => {
  const bare = '{"text":~text~}'
  test.each(['"abc', 'x', '{"a":', '}', '{"a":1}}', '"}{"text":"'])('%s: what follows comes', (body) => {
    const frames = ['1', body, '{"n":2}', '"s"', '3'].map((text) => render(bare, 1, text))
    const texts = (pieces: readonly string[]) =>
      read('stream', pieces, {}, 'only').seen.flatMap(([what, , , text]) => (what === 'message' ? [text] : []))
    for (const pieces of [frames, [frames.join('')], [...frames.join('')]]) {
      expect(texts(pieces).slice(0, 1)).toEqual([1])
      expect(texts(pieces).slice(-3)).toEqual([{ n: 2 }, 's', 3])
    }
  })
})

describe('what a body tries', () => {
  const tries: readonly string[] = [
    'x","channel":"admin","y":"',
    'x","id":99,"channel":"admin","text":"y',
    'x","tag":"9","time":"Fri, 01 Jan 2100 00:00:00 GMT","eventid":"e","y":"',
    'x","channel":"admin","id":99,"bro"ken":"',
    'x" "channel":"admin',
    '\\',
    '\\","channel":"admin","y":"',
    'x","__proto__":{"polluted":1},"y":"',
    'x","constructor":{"prototype":{"polluted":1}},"y":"',
    '"',
    '"}',
    '"{"id":99,"channel":"admin","text":"y',
    '\ud800',
    '\udc00"',
    'a\0b',
    '\u2028"\u2029',
    '~channel~',
  ]

  test.each(kinds.flatMap((kind) => tries.map((body) => [kind, body] as const)))('%s: %j', (kind, body) => {
    for (const template of [templates.quoted, templates.raw, templates.spaced]) {
      for (const settings of [{}, { messageTemplate: template }]) {
        const { seen, messages } = read(kind, [render(template, 1, body)], settings)
        expect(seen.map((entry) => entry.slice(1, 3))).toEqual([[1, 'a']])
        const [message] = messages
        // A raw text that begins with a quote is like a quoted one, unless the template is told.
        if (template === templates.raw && body.startsWith('"') && !('messageTemplate' in settings)) continue
        if (message?.dead === undefined) expect(message?.position).toBe(positionOf(Date.parse(second), 1))
      }
    }
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a.b5', '🦊', ' ', '"', '\\'])(
    'a channel called %j is a channel',
    (channel) => {
      const escaped = JSON.stringify(channel).slice(1, -1)
      for (const kind of kinds)
        expect(read(kind, [render(templates.quoted, 1, 'x', escaped)]).seen).toEqual([['message', 1, channel, 'x']])
    },
  )

  test.each(kinds)('much of anything: %s', (kind) => {
    const started = performance.now()
    const deep = render(templates.raw, 1, '['.repeat(100_000))
    expect(read(kind, [deep]).seen.map((entry) => entry.slice(1, 3))).toEqual([[1, 'a']])
    const deepJson = render(templates.raw, 1, '['.repeat(100_000) + ']'.repeat(100_000))
    expect(read(kind, [deepJson]).seen.map((entry) => entry.slice(1, 3))).toEqual([[1, 'a']])
    for (const unit of [
      'a',
      '"',
      '}{',
      '"}{"',
      '{',
      '\\',
      '","text":"',
      '"},',
      '","tag":"1',
      '","channel":"b',
      '%20',
    ]) {
      const body = unit.repeat((unit === 'a' ? 5_000_000 : 200_000) / unit.length)
      const { seen } = read(kind, [render(templates.quoted, 1, body)])
      expect(seen.map((entry) => entry.slice(0, 3))).toEqual([['message', 1, 'a']])
    }
    expect(performance.now() - started).toBeLessThan(9000)
  })

  test.each([
    ['half of the time', 2],
    ['as the network cuts it', 16_384],
  ])('5 MB in pieces, %s', (_, size) => {
    const text = render(templates.quoted, 1, 'say "}{" '.repeat(size === 2 ? 2000 : 500_000))
    const made = reading('stream')
    const started = performance.now()
    for (let at = 0; at < text.length; at += size) made.frame(text.slice(at, at + size))
    expect(made.finish().seen.map((entry) => entry.slice(0, 3))).toEqual([['message', 1, 'a']])
    expect(performance.now() - started).toBeLessThan(9000)
  })
})

const hostile = fc.constantFrom(
  '"',
  '\\',
  '{',
  '}',
  '}{',
  '"}',
  '"}{"',
  '{"',
  '[',
  ']',
  ',',
  ':',
  '\n',
  '\r\n',
  '\0',
  '\u2028',
  '\ud83d',
  '😀',
  'é',
  '%20',
  '%',
  '~text~',
  '{"id":7,',
  '"channel":"admin"',
  ',"tag":"7"}',
  '","time":"x"}',
  '"text":',
  '-1',
  'data: ',
  ' ',
  'a',
)
const body = fc.array(fc.oneof(hostile, anyString(5)), { minLength: 1, maxLength: 12 }).map((parts) => parts.join(''))
const template = fc.constantFrom(...Object.values(templates))

/** Cuts a text at some places. */
const cut = (text: string, places: readonly number[]): string[] => {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  return [...at, text.length].map((end, i) => text.slice(i === 0 ? 0 : at[i - 1], end)).filter((piece) => piece !== '')
}
/** What was made of it; what is left over and unreadable may end anywhere. */
const whole = ({ seen }: Read) => seen.map((entry) => (entry[0] === 'place' ? entry.slice(0, 3) : entry))

describe('whatever comes', () => {
  test('any split of the bytes of a stream brings the same', () => {
    const plain = fc
      .array(
        fc.oneof(
          fc.constantFrom('"', '{', '}', '}{', '"}', '\n', 'é', '😀', ',', ':', '{"k":1}'),
          fc.string({ maxLength: 4 }),
        ),
        { minLength: 1, maxLength: 8 },
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(
        fc.array(plain, { minLength: 1, maxLength: 4 }),
        template,
        fc.constantFrom('', 'HEAD\r\n', '<html><body>\r\n'),
        fc.constantFrom('', '\r\n\r\n'),
        fc.array(fc.nat(2000), { maxLength: 12 }),
        fc.boolean(),
        (texts, template, header, padding, places, told) => {
          // What ends inside its text cannot be told from a frame where nothing follows the text.
          if (template === templates.short) return
          // The first one shows what a frame has.
          const quoteless = (text: string) => (template === templates.raw && !told ? text.replace(/^\s*"/, 'x') : text)
          const frames = ['hello', ...texts].map((text, i) => render(template, i + 1, quoteless(text)) + padding)
          const bytes = Buffer.from(`${header}${frames.join('')}FOOT`)
          const settings = told ? { messageTemplate: template } : {}
          const pieces = cut(bytes.toString('latin1'), places).map((piece) => Buffer.from(piece, 'latin1'))
          const expected = whole(
            read(
              'websocket',
              frames.map((frame) => frame.trimEnd()),
              settings,
            ),
          )
          expect(whole(read('stream', decoded(pieces), settings))).toEqual(expected)
          expect(whole(read('longpolling', decoded(pieces), settings))).toEqual(expected)
        },
      ),
      runs(),
    )
  })

  test('nothing throws, and a frame of its own is one message at its place', () => {
    fc.assert(
      fc.property(body, template, fc.boolean(), fc.constantFrom(...kinds), (text, template, told, kind) => {
        const settings = told ? { messageTemplate: template } : {}
        const frame = render(template, 3, text)
        const { seen } = read('websocket', [frame], settings)
        expect(seen.map((entry) => entry.slice(1, 3))).toEqual([[3, 'a']])
        read(kind, [frame, frame], settings)
      }),
      runs(1000),
    )
  })

  test('nothing throws, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.array(body, { maxLength: 5 }),
        fc.constantFrom(...kinds),
        fc.option(template),
        (texts, kind, told) => {
          read(kind, texts, told === null ? {} : { messageTemplate: told }, 'a')
          readEvents(texts.join('\n'))
        },
      ),
      runs(1000),
    )
  })

  test('a template is whatever somebody wrote', () => {
    const part = fc.oneof(
      fc.constantFrom(
        '~id~',
        '~channel~',
        '~text~',
        '~tag~',
        '~time~',
        '~event-id~',
        '~event-type~',
        '~size~',
        '~nope~',
      ),
      anyString(4),
    )
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.array(body, { maxLength: 3 }),
        fc.constantFrom(...kinds),
        (parts, texts, kind) => {
          const messageTemplate = parts.join('')
          read(
            kind,
            texts.map((text, i) => render(messageTemplate, i + 1, text)),
            { messageTemplate },
            'a',
          )
        },
      ),
      runs(1000),
    )
  })
})

describe('a frame of the documented template', () => {
  const tail = '"tag":"7","time":"x","eventid":"y"}'
  const parts = [
    '"',
    '\\',
    '\n',
    ',',
    '}',
    '{',
    '1',
    '"id":5,',
    `,${tail}`,
    `"},{"id":9,"channel":"b","text":"`,
    'null',
    'é',
  ]
  const body = fc.oneof(
    anyString(),
    fc.array(fc.constantFrom(...parts), { maxLength: 6 }).map((found) => found.join('')),
    fc.json(),
  )

  test.each(['quoted', 'raw'] as const)(
    '%s, any body → read as where white space keeps it from being matched',
    (name) => {
      fc.assert(
        fc.property(body, fc.constantFrom('websocket', 'eventsource', 'longpolling'), (text, kind) => {
          const frame = render(templates[name], 3, text)
          expect(read(kind, [frame]).seen).toEqual(read(kind, [`{ ${frame.slice(1)}`]).seen)
        }),
        runs(400),
      )
    },
  )

  test('a body as raw JSON → its text is what the server wrote', () => {
    const { messages } = read('websocket', [render(templates.raw, 1, '{"n": 1.0}')])
    expect(messages.map(({ body, text }) => [body, text])).toEqual([[{ n: 1 }, '{"n": 1.0}']])
  })

  test('a body of white space that goes on for long → taken in at once', () => {
    const began = performance.now()
    const { seen } = read('websocket', [render(templates.raw, 1, `1${' '.repeat(1_000_000)}x`)])
    expect(seen.map((entry) => entry.slice(0, 3))).toEqual([['message', 1, 'a']])
    // A bound that only catches what takes the square of the length.
    expect(performance.now() - began).toBeLessThan(5000)
  })
})
