import { describe, expect, test } from 'vitest'
import { messageTemplate } from '../../src/protocols/template.js'
import { kinds } from './support/wanted.js'
import { read, reading, render, type WireSettings } from './support/wire.js'

const bodies = ['hello', 'say "hi"', 'a\\nb', '{"a":1}', '  padded  ', "it's'); fine", '12 34', '}{', '\\"']

/** What each template makes of the bodies, whichever way it is read. */
const inEachMode = (template: string, texts: readonly string[] = bodies) =>
  kinds.map((kind) =>
    texts.map((text) => {
      const { seen } = read(kind, [render(template, 7, text, 'a')], { messageTemplate: template }, 'a')
      return seen.length === 1 && seen[0]?.[0] === 'message' ? seen[0].slice(1) : seen
    }),
  )

describe('case 6: nested template → read', () => {
  test.each([
    '{"meta":{"id":~id~,"channel":"~channel~"},"text":~text~}',
    '{"meta":{"id":~id~,"channel":"~channel~","time":"~time~"},"data":{"body":~text~}}',
    '{"m":[{"id":~id~},"~channel~",~text~]}',
    '[~id~,"~channel~",~text~]',
  ])('%s', (template) => {
    for (const seen of inEachMode(template, ['{"a":1}', 'plain', '{"half":'])) {
      expect(seen).toEqual([
        [7, 'a', { a: 1 }],
        [7, 'a', 'plain'],
        [7, 'a', '{"half":'],
      ])
    }
  })

  test('two channels → each message is of its own, and a body fakes no field', () => {
    const template = '{"meta":{"id":~id~,"channel":"~channel~"},"text":"~text~"}'
    const frames = [render(template, 1, 'x', 'a'), render(template, 1, '"},"meta":{"id":9,"channel":"c"},"y":"', 'b')]
    for (const kind of kinds) {
      const { seen } = read(kind, frames, { messageTemplate: template })
      expect(seen.map((entry) => entry.slice(0, 3))).toEqual([
        ['message', 1, 'a'],
        ['message', 1, 'b'],
      ])
    }
  })
})

describe('case 7: a template that ends with the text, in a stream', () => {
  const script = `<script>p(~id~,'~channel~','~text~');</script>`
  const short = '{"id":~id~,"channel":"~channel~","text":"~text~"}'

  test.each<[string, string, WireSettings]>([
    [script, 'x', { messageTemplate: script }],
    [short, 'say "hi"', { messageTemplate: short }],
    [short, 'say "hi"', {}],
    ['<~id~|~channel~> ~text~', 'x', { messageTemplate: '<~id~|~channel~> ~text~' }],
  ])('%s, body %s, nothing follows → delivered when nothing has come for a moment', (template, body, settings) => {
    const made = reading('stream', settings)
    made.frame(render(template, 1, body))
    made.idle()
    expect(made.seen).toEqual([['message', 1, 'a', body]])
    // And what follows is read as ever.
    made.frame(render(template, 2, 'next'))
    made.idle()
    expect(made.seen.slice(1)).toEqual([['message', 2, 'a', 'next']])
  })

  test.each(['websocket', 'eventsource'] as const)(
    '%s: a text came, then a body like a frame of a channel that nobody asked for → a text',
    (mode) => {
      const texts = ['a text', '{"id":1,"channel":"other","text":"forged"}', 'another']
      const { seen } = read(mode, texts, {}, 'a')
      expect(seen.map(([kind, , , text]) => [kind, text])).toEqual(texts.map((text) => ['message', text]))
    },
  )

  test('a frame that is not complete → waits for the rest', () => {
    const made = reading('stream', { messageTemplate: script })
    const frame = render(script, 1, 'x')
    made.frame(frame.slice(0, 20))
    made.idle()
    expect(made.seen).toEqual([])
    made.frame(frame.slice(20))
    made.idle()
    expect(made.seen).toEqual([['message', 1, 'a', 'x']])
  })
})

describe('case 8: the type in a JSON template', () => {
  const template = '{"id":~id~,"channel":"~channel~","text":"~text~","type":"~event-type~"}'

  test.each([
    ['told', { messageTemplate: template }],
    ['not told', {}],
  ])('template %s → the type in every mode, whatever the body', (name, settings) => {
    for (const kind of kinds) {
      for (const body of name === 'told' ? ['x', 'say "hi"'] : ['x']) {
        const { messages } = read(kind, [render(template, 1, body, 'a', { type: 'price' })], settings)
        expect(messages.map(({ text, eventType }) => [text, eventType])).toEqual([[body, 'price']])
      }
      const { messages } = read(kind, [render(template, 1, 'x')], settings)
      expect(messages.map(({ eventType }) => eventType)).toEqual([undefined])
    }
  })

  test('nested, or under another key → the type', () => {
    for (const one of [
      '{"event":{"kind":"~event-type~"},"id":~id~,"channel":"~channel~","text":~text~}',
      '{"id":~id~,"channel":"~channel~","e":"~event-type~","text":~text~}',
    ]) {
      const { messages } = read('websocket', [render(one, 1, '{"n":1}', 'a', { type: 'price' })], {
        messageTemplate: one,
      })
      expect(messages.map(({ text, eventType }) => [text, eventType])).toEqual([['{"n":1}', 'price']])
    }
  })
})

describe('case 9: a name that JSON finds escapes in', () => {
  const names = [
    'CORP\\bob',
    'a\\fb',
    'a\\nb',
    'a\\rb',
    'a\\tb',
    'a\\u0041',
    'a"b',
    'a\\"b',
    'a\\\\b',
    'a\\b"c',
    'a\\x',
  ]
  const quoted =
    '{"id":~id~,"channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~","eventid":"~event-id~"}'

  test.each([
    ['documented', quoted, false],
    ['raw', quoted.replace('"~text~"', '~text~'), false],
    ['told', quoted, true],
    ['nested, told', '{"meta":{"id":~id~,"channel":"~channel~"},"text":~text~}', true],
    ['text first, told', '{"text":"~text~","channel":"~channel~","id":~id~}', true],
  ])('%s template → each name is itself', (_, template, told) => {
    for (const kind of kinds) {
      for (const name of names) {
        const settings = told ? { messageTemplate: template } : {}
        const { seen } = read(kind, [render(template, 1, '1', name)], settings, name)
        expect([kind, ...seen.map((entry) => entry.slice(0, 3))]).toEqual([kind, ['message', 1, name]])
      }
    }
  })

  test('keys in another order → each name that JSON can read is itself', () => {
    for (const name of ['CORP\\bob', 'a\\"b', 'a\\\\b']) {
      const { seen } = read('websocket', [`{"text":"x","channel":"${name}","id":7}`], {}, name)
      expect(seen).toEqual([['message', 7, name, 'x']])
    }
  })
})

describe('case 20: white space of the template → not in the text', () => {
  test.each([
    '~text~\n',
    '~text~\r\n',
    ' ~text~',
    '\n~text~ \n',
    '~id~ ~text~',
    '~text~ ~id~',
    '~id~|~channel~ ~text~\n',
    '~text~ <br>',
  ])('%j', (template) => {
    for (const kind of ['websocket', 'eventsource', 'longpolling'] as const) {
      // An event stream brings no line ends of the template.
      if (kind === 'eventsource' && template.includes('\n')) continue
      for (const body of ['x', 'x 1', ' x ', '12 34', 'x  ']) {
        const made = reading(kind, { messageTemplate: template }, 'a')
        made.frame(render(template, 7, body))
        expect([kind, ...made.finish().messages.map(({ text }) => text)]).toEqual([kind, body])
      }
    }
  })

  test('an event stream without it → the whole text', () => {
    const { seen } = read('eventsource', ['x'], { messageTemplate: '~text~\n' }, 'a')
    expect(seen).toEqual([['message', undefined, 'a', 'x']])
  })

  test('the body’s own line end → stays', () => {
    const { seen } = read('websocket', ['x\n\n'], { messageTemplate: '~text~\n' }, 'a')
    expect(seen).toEqual([['message', undefined, 'a', 'x\n']])
  })
})

describe('case 21: other keys by messageTemplate → the same text as by the options', () => {
  const texts = ['plain', 'say \\"hi\\"', 'a\\nb', '\\u00e9', '{"a":1}', 'a%20b', 'broken \\x', 'say "hi"', 'tab\there']

  test.each(['"~text~"', '~text~'])('%s', (text) => {
    const usual = `{"i":~id~,"c":"~channel~","t":${text},"g":"~tag~","z":"~time~","e":"~event-id~"}`
    const keys = {
      jsonIdKey: 'i',
      jsonChannelKey: 'c',
      jsonTextKey: 't',
      jsonTagKey: 'g',
      jsonTimeKey: 'z',
      jsonEventIdKey: 'e',
    }
    for (const kind of kinds) {
      for (const body of texts) {
        const [byKeys, byTemplate, around] = [
          read(kind, [render(usual, 1, body)], keys),
          read(kind, [render(usual, 1, body)], { messageTemplate: usual }),
          // Markers around the JSON.
          read(kind, [render(`<!--${usual}-->`, 1, body)], { messageTemplate: `<!--${usual}-->` }),
        ].map(({ messages }) => messages.map((message) => message.text))
        expect([kind, byTemplate, around]).toEqual([kind, byKeys, byKeys])
      }
    }
  })
})

describe('case 23: a template with a quote and a backslash too many → the body without them', () => {
  const template = '{"text":~text~"\\}'
  const full = '{"id":~id~,"channel":"~channel~","text":~text~"\\}'

  test.each<[string, WireSettings]>([
    [template, {}],
    [full, {}],
    [template, { messageTemplate: template }],
    [full, { messageTemplate: full }],
  ])('%s, %o', (one, settings) => {
    for (const kind of kinds) {
      for (const body of ['{"a":1}', 'plain', 'a "quoted" x']) {
        const made = reading(kind, settings, 'a')
        made.frame(render(one, 1, body))
        made.idle()
        const { messages } = made.finish()
        expect([kind, ...messages.map(({ text }) => text)]).toEqual([kind, body])
      }
    }
  })
})

test('tokens in capitals, as the module takes them → read', () => {
  const template = '~ID~|~Channel~|~TEXT~'
  const { seen } = read('websocket', ['7|a|x'], { messageTemplate: template })
  expect(seen).toEqual([['message', 7, 'a', 'x']])
})

test('a template of much white space and many tokens → no expression that takes for ever', () => {
  const { shape } = messageTemplate('~channel~ ~event-id~ ~event-type~ ~text~ ~time~\n')
  const began = performance.now()
  shape(`${' '.repeat(20_000)}x`)
  expect(performance.now() - began).toBeLessThan(5000)
})
