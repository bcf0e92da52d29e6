import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checks, judge } from '../../src/diagnose/checks.js'
import { formatReport } from '../../src/diagnose/format.js'
import type { Answered, Attempt, Brought, Knock, Probes, Published, Seen } from '../../src/diagnose/types.js'
import { positionOf } from '../../src/position.js'
import { advice, type Fault } from '../../src/troubleshooting.js'
import type { CloseReason, ModeName } from '../../src/types.js'

// What follows from what was seen, without a server: one good observation, and one thing that was seen otherwise.

const modes = ['websocket', 'eventsource', 'longpolling'] as const
const server = 'push.example.org'

const answer: Answered = {
  status: 200,
  type: 'text/event-stream',
  origin: '*',
  credentials: undefined,
  server: 'push-stream',
  explain: undefined,
}

const published: Published[] = [0, 1, 2, 3].map((n) => ({
  text: `text ${n}`,
  eventId: `e${n}`,
  from: n === 0 ? 0 : 900 + n * 10,
  at: n === 0 ? 5 : 905 + n * 10,
  status: 200,
}))

const brought: Brought[] = published.slice(1).map(({ text, eventId, at }, n) => ({
  id: n + 2,
  channel: 'a',
  text,
  position: positionOf(1e12, n + 2),
  tag: n + 2,
  eventId,
  at: at + 1,
  dead: undefined,
}))

const attempt = (mode: ModeName, more: Partial<Attempt> = {}): Attempt => ({
  mode,
  url: `http://${server}/${mode}/a`,
  asked: 10,
  answer: mode === 'websocket' ? undefined : answer,
  opened: 20,
  first: 21,
  pings: mode === 'eventsource' ? 2 : 0,
  messages: brought,
  dead: [],
  ended: undefined,
  until: 9000,
  ...more,
})

const probes: Probes = { stored: 4, time: 'argument', tag: 'argument', eventId: 'argument', copies: 2 }

const good: Seen = {
  modes,
  attempts: modes.map((mode) => attempt(mode)),
  knocks: {},
  published,
  probes: { websocket: probes, eventsource: probes, longpolling: probes },
  known: 4,
  lacks: [],
  limits: {
    line: { length: 6400, status: 200 },
    connections: { opened: 8, asked: 8, refused: undefined },
  },
  waited: 8000,
  origin: undefined,
  include: false,
  enforced: false,
  blocked: false,
  page: undefined,
  unavailable: [],
  http: 'h2',
  named: true,
}

/** The good observation, where one mode was of no use. */
const ended = (mode: ModeName, reason: CloseReason, knock: Knock, more: Partial<Attempt> = {}): Seen => ({
  ...good,
  attempts: good.attempts.map((one) =>
    one.mode === mode
      ? attempt(mode, {
          opened: undefined,
          first: undefined,
          messages: [],
          answer: undefined,
          ended: { ...reason, at: 30 },
          until: 30,
          ...more,
        })
      : one,
  ),
  knocks: { [mode]: knock },
})

/** The good observation, where one mode showed something else. */
const shown = (mode: ModeName, more: Partial<Attempt>, rest: Partial<Seen> = {}): Seen => ({
  ...good,
  attempts: good.attempts.map((one) => (one.mode === mode ? { ...one, ...more } : one)),
  ...rest,
})

const probed = (mode: ModeName, more: Partial<Probes>): Seen => ({
  ...good,
  probes: { ...good.probes, [mode]: { ...probes, ...more } },
})

const faultsIn = (seen: Seen) =>
  judge(seen).flatMap(({ findings }) => findings.map(({ fault, modes: where }) => [fault, ...where].join(' ')))

const status = (code: number, explain?: string): CloseReason => ({ kind: 'status', status: code, explain })
const knocked = (code: number, more: Partial<Answered> = {}): Answered => ({
  ...answer,
  status: code,
  type: '',
  ...more,
})

test('all is well → no fault, and nothing that could not be told', () => {
  const rows = judge(good)
  expect(rows.map(({ check, outcome }) => `${check}: ${outcome}`)).toEqual(checks.map(({ name }) => `${name}: ok`))
})

const cases: [what: string, seen: Seen, fault: string][] = [
  ['eventsource 404', ended('eventsource', status(404), knocked(404)), 'missing eventsource'],
  ['eventsource 403', ended('eventsource', status(403), knocked(403)), 'forbidden eventsource'],
  ['eventsource 401', ended('eventsource', status(401), knocked(401)), 'forbidden eventsource'],
  ['eventsource 502', ended('eventsource', status(502), knocked(502)), 'unreachable eventsource'],
  [
    'no channel in the path',
    ended('eventsource', status(400, 'No channel id provided.'), knocked(400)),
    'names eventsource',
  ],
  [
    'a location of websockets',
    ended('longpolling', status(400, `Don't have at least one of the mandatory headers: …`), knocked(400)),
    'mode longpolling',
  ],
  ['a page', ended('eventsource', { kind: 'invalid' }, knocked(200, { server: undefined })), 'foreign eventsource'],
  [
    'an answer of the module in another mode',
    ended('eventsource', { kind: 'invalid' }, knocked(200), { answer: { ...answer, type: 'text/plain' } }),
    'mode eventsource',
  ],
  [
    'a stream for a poll',
    ended('longpolling', { kind: 'invalid', explain: 'a stream instead of an answer' }, knocked(200)),
    'mode longpolling',
  ],
  [
    'an answer of Nchan',
    ended('longpolling', { kind: 'invalid', symptom: 'nchan' }, knocked(200)),
    'nchan longpolling',
  ],
  [
    'a websocket, and 404 by a plain request',
    ended('websocket', { kind: 'refused' }, knocked(404)),
    'missing websocket',
  ],
  [
    'a websocket, and 403 by a plain request',
    ended('websocket', { kind: 'refused' }, knocked(403)),
    'forbidden websocket',
  ],
  [
    'a websocket, and 400 by a plain request',
    ended('websocket', { kind: 'refused' }, knocked(400)),
    'websocket websocket',
  ],
  ['a websocket, and nothing shows why', ended('websocket', { kind: 'refused' }, 'hidden'), 'websocket websocket'],
  [
    'a websocket, and a page by a plain request',
    ended('websocket', { kind: 'refused' }, knocked(200, { server: undefined, type: 'text/html' })),
    'foreign websocket',
  ],
  [
    'a websocket that is let in and refused',
    ended('websocket', { kind: 'close', status: 1008, explain: '{"http_status": 403, "explain":"x"}' }, knocked(400)),
    'forbidden websocket',
  ],
  [
    'no first byte',
    { ...ended('eventsource', { kind: 'end' }, 'nothing', { ended: undefined }) },
    'buffered eventsource',
  ],
  [
    'messages two seconds late',
    shown('eventsource', { messages: brought.map((one) => ({ ...one, at: one.at + 2000 })) }),
    'buffered eventsource',
  ],
  ['no ping', shown('eventsource', { pings: 0 }), 'pings eventsource'],
  [
    'lost in silence',
    shown('websocket', { ended: { kind: 'lost', status: 1006, at: 2000 }, until: 2000 }),
    'cut websocket',
  ],
  ['no message', shown('websocket', { messages: [] }), 'names websocket'],
  ['a frame that can’t be read', shown('websocket', { messages: [], dead: ['no frame: x'] }), 'unreadable websocket'],
  [
    'a text that came otherwise',
    shown('websocket', { messages: brought.map((one) => ({ ...one, text: 'text%201' })) }),
    'unreadable websocket',
  ],
  ['publishing is refused', { ...good, published: published.map((one) => ({ ...one, status: 403 })) }, 'publisher'],
  ['a field that is missing', { ...good, lacks: ['~id~'] }, 'template'],
  ['one location takes no time', probed('websocket', { time: 'none', tag: 'none' }), 'time websocket'],
  ['one location takes no tag', probed('websocket', { tag: 'none' }), 'tag websocket'],
  ['one location takes no event id', probed('websocket', { eventId: 'none' }), 'eventid websocket'],
  ['one location takes one name', probed('eventsource', { copies: 1 }), 'names eventsource'],
  ['414 for a long address', { ...good, limits: { line: { length: 6400, status: 414 } } }, 'buffers'],
  [
    'the sixth connection is refused',
    { ...good, limits: { connections: { opened: 5, asked: 8, refused: status(503) } } },
    'limits',
  ],
  [
    'no websocket over HTTP/1.1',
    { ...good, http: 'http/1.1', modes: ['eventsource'], attempts: [attempt('eventsource')] },
    'connections',
  ],
  [
    'another origin, and no leave',
    shown('longpolling', { answer: { ...answer, origin: undefined } }, { origin: 'https://example.org' }),
    'cors longpolling',
  ],
  [
    'every origin, and cookies',
    {
      ...good,
      origin: 'https://example.org',
      include: true,
      attempts: [attempt('eventsource', { answer: { ...answer, origin: '*', credentials: 'true' } })],
    },
    'credentials eventsource',
  ],
  [
    'refused with the origin of the page alone',
    {
      ...ended('eventsource', status(403), knocked(403, { byOrigin: true })),
      origin: 'https://example.org',
      enforced: true,
    },
    'cors eventsource',
  ],
]

test.each(cases)('%s → that fault and no other', (_, seen, fault) => {
  expect(faultsIn(seen)).toEqual([fault])
})

test('a long address that hangs as a long-poll does → no fault', () => {
  expect(faultsIn({ ...good, limits: { line: { length: 6400, status: undefined } } })).toEqual([])
})

test('nothing answers → one fault for all modes, and every other check says that it cannot tell', () => {
  const seen: Seen = {
    ...good,
    attempts: modes.map((mode) =>
      attempt(mode, {
        answer: undefined,
        opened: undefined,
        first: undefined,
        messages: [],
        ended: { kind: 'refused', at: 20, cause: new TypeError('fetch failed') },
      }),
    ),
    knocks: { websocket: 'nothing', eventsource: 'nothing', longpolling: 'nothing' },
    probes: {},
    known: 0,
    published: undefined,
    lacks: undefined,
  }
  expect(faultsIn(seen)).toEqual([`unreachable ${modes.join(' ')}`])
  expect(
    judge(seen)
      .filter(({ outcome }) => outcome === 'ok')
      .map(({ check }) => check),
  ).toEqual(['cors'])
})

test('nothing is stored, and there is no publisher → what depends on it cannot be told', () => {
  const seen: Seen = {
    ...good,
    published: undefined,
    known: 0,
    lacks: undefined,
    attempts: modes.map((mode) => attempt(mode, { messages: [] })),
    probes: Object.fromEntries(modes.map((mode) => [mode, { stored: 0 }])),
  }
  expect(faultsIn(seen)).toEqual([])
  expect(
    judge(seen)
      .filter(({ outcome }) => outcome === 'unknown')
      .map(({ check }) => check),
  ).toEqual([
    'publishing',
    'delivery',
    'template',
    'stored messages',
    'resume by time and tag',
    'resume by event id',
    'several channels',
  ])
})

test('a channel with a random name is refused, as one has to exist → cannot tell', () => {
  const refused = (mode: ModeName) => ended(mode, status(403, 'Subscriber could not create channels.'), knocked(403))
  const seen: Seen = {
    ...good,
    attempts: modes.map((mode) => refused(mode).attempts.find((one) => one.mode === mode) as Attempt),
    knocks: Object.fromEntries(modes.map((mode) => [mode, knocked(403)])),
    published: undefined,
    named: false,
  }
  expect(faultsIn(seen)).toEqual([])
  expect(faultsIn({ ...seen, named: true })).toEqual([`forbidden ${modes.join(' ')}`])
})

test('a fault to be ignored → none', () => {
  const [row] = judge(probed('websocket', { eventId: 'none' }), ['eventid']).filter(
    ({ check }) => check === 'resume by event id',
  )
  expect(row).toMatchObject({ outcome: 'ok', findings: [] })
})

describe('whatever was seen', () => {
  const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const time = fc.nat(10_000)
  const answers: fc.Arbitrary<Answered> = fc.record({
    status: fc.constantFrom(200, 301, 400, 401, 403, 404, 414, 429, 500, 502, 504),
    type: fc.constantFrom('', 'text/html', 'text/plain', 'text/event-stream'),
    origin: some(fc.constantFrom('*', 'https://example.org')),
    credentials: some(fc.constant('true')),
    server: some(fc.constantFrom('push-stream' as const, 'nchan' as const)),
    explain: some(fc.constantFrom('No channel id provided.', 'mandatory headers', 'x')),
  })
  const reasons: fc.Arbitrary<CloseReason> = fc.record({
    kind: fc.constantFrom('end', 'refused', 'lost', 'status', 'close', 'invalid'),
    status: fc.constantFrom(200, 400, 403, 404, 504, 1006, 1008),
    explain: some(fc.constantFrom('x', '{"http_status": 403, "explain":"x"}')),
  })
  const attempts = (mode: ModeName): fc.Arbitrary<Attempt> =>
    fc
      .record({
        answer: some(answers),
        opened: some(time),
        first: some(time),
        ended: some(reasons),
        pings: fc.nat(3),
        some: fc.nat(3),
      })
      .map(({ ended: reason, some: count, ...rest }) =>
        attempt(mode, {
          ...rest,
          messages: brought.slice(0, count),
          ended: reason && { ...reason, at: 50 },
          until: reason ? 50 : 9000,
        }),
      )
  const means = fc.constantFrom('argument' as const, 'header' as const, 'both' as const, 'none' as const)
  const anyProbes: fc.Arbitrary<Probes> = fc.record(
    { stored: fc.nat(4), time: means, tag: means, eventId: means, copies: fc.nat(2), repeats: fc.boolean() },
    { requiredKeys: ['stored'] },
  )
  const knocks = fc.oneof(answers, fc.constantFrom('hidden' as const, 'nothing' as const))
  const anySeen: fc.Arbitrary<Seen> = fc
    .tuple(
      fc.tuple(...modes.map(attempts)),
      fc.record({ websocket: knocks, eventsource: knocks, longpolling: knocks }, { requiredKeys: [] }),
      fc.record({ websocket: anyProbes, eventsource: anyProbes, longpolling: anyProbes }, { requiredKeys: [] }),
      fc.record({
        published: some(fc.constant(published)),
        known: fc.nat(4),
        lacks: some(fc.subarray(['~id~', '~time~'])),
        origin: some(fc.constant('https://example.org')),
        include: fc.boolean(),
        enforced: fc.boolean(),
        named: fc.boolean(),
        http: some(fc.constantFrom('h2', 'http/1.1')),
      }),
    )
    .map(([all, knock, probe, rest]) => ({ ...good, ...rest, attempts: all, knocks: knock, probes: probe }) as Seen)

  test('every check has an outcome with a reason, and every finding is in the table of advice', () => {
    fc.assert(
      fc.property(anySeen, (seen) => {
        const rows = judge(seen)
        expect(rows.map(({ check }) => check)).toEqual(checks.map(({ name }) => name))
        for (const { outcome, detail, findings } of rows) {
          expect(outcome === 'fault').toBe(findings.length > 0)
          if (outcome === 'unknown') expect(detail).not.toBe('')
          for (const { fault, modes: where } of findings) {
            expect(Object.hasOwn(advice, fault)).toBe(true)
            expect(new Set(where).size).toBe(where.length)
          }
        }
        const text = formatReport({
          url: 'http://x',
          channel: 'a',
          ok: false,
          rows,
          findings: rows.flatMap((row) => row.findings),
        })
        expect(text).not.toMatch(/undefined|NaN|\[object/)
      }),
      { numRuns: 500 },
    )
  })

  test('a mode that failed → said once, and in no other check', () => {
    fc.assert(
      fc.property(anySeen, (seen) => {
        const connecting: Fault[] = [
          'missing',
          'mode',
          'foreign',
          'forbidden',
          'websocket',
          'unreachable',
          'slow',
          'csp',
        ]
        const all = judge(seen).flatMap(({ findings }) => findings)
        for (const mode of modes) {
          const faults = all.filter((one) => one.modes.includes(mode)).map(({ fault }) => fault)
          if (faults.some((fault) => connecting.includes(fault))) expect(faults).toHaveLength(1)
        }
      }),
      { numRuns: 500 },
    )
  })
})
