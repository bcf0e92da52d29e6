import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sampleTemplate } from '../../../../e2e/support/sample.js'
import { ServerNames } from '../../src/classic/names.js'
import { classicProtocol } from '../../src/classic/protocol.js'
import type { RequestKind } from '../../src/protocols/protocol.js'
import type { PushStreamSettings } from '../../src/protocols/push-stream.js'
import { messageTemplate } from '../../src/protocols/template.js'
import { cutOf } from './support/named.js'
import { runs } from './support/runs.js'
import { chunks, render, templates } from './support/wire.js'

const header =
  '<html><head><meta charset="utf-8">\r\n<script type="text/javascript">\r\nvar a = {"b":1};parent.PushStream.register(this);\r\n</script>\r\n</head>\r\n<body>'
const footer = '</body></html>'

type Seen = [what: string, ...values: unknown[]]

/** Reads the pieces of one connection. */
function read(
  pieces: readonly string[],
  settings: PushStreamSettings = {},
  channels = ['a', 'b'],
  kind: RequestKind = 'stream',
) {
  const seen: Seen[] = []
  const lasts: boolean[] = []
  const protocol = classicProtocol(
    { text: 'encoded', ...settings },
    new ServerNames(),
  )({
    base: 'http://h',
    credentials: 'same-origin',
    sameOrigin: true,
  })
  const decoder = protocol.decoder(
    { kind, liveFrom: 0, channels, cut: cutOf(kind) },
    {
      message({ id, channel, body, eventId, tag, dead, last }) {
        seen.push(dead === undefined ? ['message', id, channel, body, eventId ?? '', tag] : ['place', id])
        lasts.push(last)
      },
      ping: () => seen.push(['ping']),
      deleted: (channel, text) => seen.push(['deleted', channel, text]),
      dead: (raw) => seen.push(['dead', raw]),
      over: () => seen.push(['over']),
    },
  )
  for (const piece of pieces) decoder.frame(piece)
  decoder.finish()
  return { seen, lasts, guarantees: protocol.guarantees }
}

const frame = (id: number, text: string, eventId = '', channel = 'a') =>
  render(sampleTemplate, id, text, channel, { eventId })

describe('a stream made for an iframe', () => {
  test('header, ping, messages, a deletion and the footer, however they are cut', () => {
    const text =
      header + frame(-1, 'Ping') + frame(1, 'one', 'e1') + frame(2, 'it%27s%20%22two%22') + frame(-2, 'gone') + footer
    const want: Seen[] = [
      ['ping'],
      ['message', 1, 'a', 'one', 'e1', 1],
      ['message', 2, 'a', 'it\'s "two"', '', 2],
      ['deleted', 'a', 'gone'],
    ]
    expect(read([text]).seen).toEqual(want)
    expect(read([...text]).seen).toEqual(want)
    for (let at = 0; at < text.length; at += 7) expect(read([text.slice(0, at), text.slice(at)]).seen).toEqual(want)
    expect(read([text]).guarantees).toEqual({ resume: 'position', gaps: 'exact' })
  })

  test.each([
    ["<script>p(~id~,'~channel~','~text~','~event-id~','~time~','~tag~');</script>\r\n", 'e', 7, 'position'],
    ["<script>p(~id~,'~channel~','~text~','~event-id~', '~time~');</script>", 'e', undefined, 'second'],
    ["<script>p(~id~,'~channel~','~text~','~event-id~');</script>", 'e', undefined, 'event-id'],
    ["<script>p(~id~,'~channel~','~text~');</script>\n", '', undefined, 'none'],
  ] as const)('the template of another time: %s', (template, eventId, tag, resume) => {
    const texts = [7, 8].map((id) => render(template, id, 'x', 'a', { eventId: 'e', tag: '7' }))
    const { seen, guarantees } = read([header, ...texts, footer])
    expect(seen).toEqual([7, 8].map((id) => ['message', id, 'a', 'x', eventId, tag]))
    expect(guarantees).toEqual({ resume, gaps: 'exact' })
    expect(read([header + texts.join('') + footer]).seen).toEqual(seen)
  })

  test('a body that looks like the end of many frames takes no time worth mentioning', () => {
    const began = performance.now()
    const body = "','', '', '');</script><script>p(".repeat(600)
    expect(read([header + frame(1, body) + frame(2, 'x')]).seen.map(([what, id]) => [what, id])).toEqual([
      ['message', 1],
      ['message', 2],
    ])
    // Where every end is tried with every other it takes more than that.
    expect(performance.now() - began).toBeLessThan(3000)
  })

  const bodies = [
    "it's",
    "'",
    "','",
    "');alert(1);//",
    "x');</script>",
    '</script>',
    '<script>',
    '<script>p(',
    "<script>alert('1')</script>",
    '\\',
    "\\'",
    'a\nb\r\n',
    '{"id":9,"channel":"admin","text":"x"}',
    '',
    ' ',
    '漢字 😀',
    '%',
    "','','Fri, 20 Nov 2026",
  ]

  test.each(bodies)('a body that would break a script is a text: %s', (body) => {
    const want: Seen[] = [
      ['message', 1, 'a', body, '', 1],
      ['message', 2, 'b', 'next', '', 2],
    ]
    const text = frame(1, body) + frame(2, 'next', '', 'b')
    expect(read([header + text]).seen).toEqual(want)
    // The server's own frame has shown the template: of the first one's pieces a body could make another.
    expect(read([header, frame(-1, 'Ping'), ...text]).seen.slice(1)).toEqual(want)
  })

  test('any bodies, cut anywhere: each comes once, as it was published', () => {
    const piece = fc.oneof(fc.constantFrom(...bodies.filter((body) => body !== '%')), fc.string())
    const anyBody = fc.array(piece, { maxLength: 3 }).map((parts) => parts.join('').replaceAll('%', ''))
    fc.assert(
      fc.property(fc.array(anyBody, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 40 }), (texts, size) => {
        const text = texts.map((body, i) => frame(i + 1, body)).join('')
        const pieces = [header + frame(-1, '')].concat(text.match(new RegExp(`[^]{1,${size}}`, 'g'))!)
        expect(read(pieces).seen.slice(1)).toEqual(texts.map((body, i) => ['message', i + 1, 'a', body, '', i + 1]))
      }),
      runs(100),
    )
  })

  test('nothing of it is ever run', () => {
    const page = globalThis as { ran?: boolean }
    read([header, frame(1, "');globalThis.ran=true;('"), `<script>globalThis.ran=true</script>${frame(2, 'x')}`])
    expect(page.ran).toBeUndefined()
  })
})

describe('a stream of JSON', () => {
  test.each(['quoted', 'raw', 'spaced', 'short', 'line'] as const)('%s, with or without a header', (name) => {
    const text = [1, 2].map((id) => render(templates[name], id, '[1]')).join('')
    const body = name === 'raw' ? [1] : '[1]'
    for (const before of ['', header]) {
      expect(read([before + text]).seen.map((one) => one.slice(0, 4))).toEqual(
        [1, 2].map((id) => ['message', id, 'a', body]),
      )
      expect(read([before, ...text]).seen).toHaveLength(2)
    }
  })

  test('a body that looks like a call stays a body', () => {
    const text = render(templates.quoted, 1, frame(7, 'x', '', 'admin'))
    expect(read([text]).seen.map((one) => one.slice(0, 3))).toEqual([['message', 1, 'a']])
  })

  test('keys of the page, and a template of one’s own', () => {
    expect(read(['{"i":1,"channel":"a","text":"x"}'], { jsonIdKey: 'i' }).seen).toEqual([
      ['message', 1, 'a', 'x', '', undefined],
    ])
    expect(
      read(['[1|a|x]', '[2|b|y]'], { messageTemplate: messageTemplate('[~id~|~channel~|~text~]') }).seen.map((one) =>
        one.slice(0, 4),
      ),
    ).toEqual([
      ['message', 1, 'a', 'x'],
      ['message', 2, 'b', 'y'],
    ])
  })
})

describe('an answer to a poll', () => {
  test.each(['longpolling', 'poll'] as const)('%s, several messages → the last one is marked', (kind) => {
    const pieces = chunks('12-longpoll-batch').map(String)
    const frames = kind === 'poll' ? pieces.join('').split(/(?<=\})(?=\{"id")/) : [pieces.join('')]
    expect(read(frames, {}, [], kind).lasts).toEqual([false, false, true])
  })

  test.each(['longpolling', 'poll'] as const)('%s, a channel deleted after a message → in this order', (kind) => {
    const frames = [render(templates.quoted, 1, 'x'), render(templates.quoted, -2, 'gone')]
    const { seen, lasts } = read(kind === 'poll' ? frames : [frames.join('')], {}, ['a'], kind)
    expect([seen.map(([what]) => what), lasts]).toEqual([['message', 'deleted'], [true]])
  })
})

describe('channels that have another name on the server', () => {
  const message = (id: number, channel: string) => render(templates.quoted, id, 'x', channel)
  const names = (channels: string[], ...frames: string[]) =>
    read(frames, {}, channels, 'websocket').seen.map(([what, id, channel]) => [what, id, channel])

  test('come under the name that was asked for', () => {
    expect(names(['a'], message(1, 'test_a'), message(2, 'test_a'))).toEqual([
      ['message', 1, 'a'],
      ['message', 2, 'a'],
    ])
    expect(names(['a', 'other_a'], message(1, 'u-other_a'), message(1, 'u-a'))).toEqual([
      ['message', 1, 'other_a'],
      ['message', 1, 'a'],
    ])
    expect(names(['a'], render(templates.quoted, -2, 'gone', 'u-a'))).toEqual([['deleted', 'a', 'gone']])
  })

  test('one of its own name stays what it is, and a second one nobody asked for is not mixed in', () => {
    expect(names(['a'], message(1, 'a'), message(2, 'a'))).toEqual([
      ['message', 1, 'a'],
      ['message', 2, 'a'],
    ])
    expect(names(['a'], message(1, 'u-a'), message(1, 'all'), message(1, 'b'))).toEqual([
      ['message', 1, 'a'],
      ['message', 1, 'all'],
      ['message', 1, 'b'],
    ])
  })

  test('are told to the page as the server names them', () => {
    const given = new ServerNames()
    const ignore = () => undefined
    const events = given.events(['a'], { message: ignore, ping: ignore, deleted: ignore, dead: ignore, over: ignore })
    events.deleted('user-7-a', '')
    expect([given.of('a'), given.of('b')]).toEqual(['user-7-a', 'b'])
  })
})
