import { type Scenario, timeOfDay } from '../support/replay.js'
import type { Stage } from '../support/stage.js'

/** A handshake that the transcript elides after `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub`. */
const HANDSHAKE_END = '25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://app.example\r\n\r\n'

/** Bodies that need escaping, in the order they were published. */
const AWKWARD_BODIES: Array<string | Buffer> = [
  'he said "hi"',
  'a\\nb\\"',
  'l1\nl2',
  'l1\r\n\r\nl2\r\n',
  'é€😀',
  'a\u2028b',
  'x ~text~ ~id~ y',
  'a%20%22b%22%0A%C3%A9',
  'a\tb',
  '{"k":"v\\"w","n":[1,2]}',
  '{\n "k": 1\n}',
  Buffer.from([0x61, 0xff, 0xfe, 0x62]),
  'a\0b\nc',
  '   ',
]

function awkwardBodies(times: number[]): Scenario {
  return {
    start: '22:23:28.100',
    meanwhile: times.map((at, index) => [at, (stage) => stage.publish('tis3uwr', AWKWARD_BODIES[index]!)]),
  }
}

/** Two channels over three seconds: what several transcripts resume in. */
const TWO_CHANNELS: Scenario = {
  begin: '22:05:06',
  setup: (stage) => {
    const [a, b] = ['ac0p7jl9', 'bcu5fjmy']
    stage.publish(a, '1')
    stage.publish(b, '1')
    stage.clock.advanceTo(timeOfDay('22:05:07'))
    stage.publish(a, '2', { eventId: 'e2' })
    stage.publish(a, '3')
    stage.publish(a, '4', { eventId: 'e4' })
    stage.publish(b, '2')
    stage.clock.advanceTo(timeOfDay('22:05:08'))
    stage.publish(a, '5')
    stage.publish(a, '6', { eventId: 'e6' })
    stage.publish(b, '3')
  },
}

const publishAt = (at: number, channel: string, text: string): Scenario => ({
  meanwhile: [[at, (stage) => stage.publish(channel, text)]],
})

const publishBefore = (burn: number, ...messages: Array<[channel: string, text: string]>): Scenario => ({
  setup: (stage) => {
    stage.burnTags(burn)
    for (const [channel, text] of messages) stage.publish(channel, text)
  },
})

/** `count` events in the events channel: each channel that comes and goes leaves two. */
function earlierEvents(stage: Stage, count: number): void {
  const { store } = stage.server(19010)
  for (let i = 0; i < count / 2; i++) store.open(`earlier${i}`)
  stage.clock.advance(3000)
}

/** One entry a transcript: what it does not show. */
export const SCENARIOS: Record<string, Scenario> = {
  '01-default-template-ttl': publishAt(1504, 'd1', 'line1\nline2\r\nline3'),
  '01-eventsource-message-ping-deleted': {},
  '01-eventsource-ttl-header-footer': publishAt(1, 'tev', 'hi'),
  '01-longpolling-deleted': {},
  '01-longpolling-header-footer': publishAt(1704, 'tlp', 'hi'),
  '01-longpolling-message': {},
  '01-longpolling-timeout-304': {},
  '01-longpolling-timeout-with-body': {},
  '01-padding': {
    meanwhile: [
      [1, (stage) => stage.publish('psub', 'hi')],
      [206, (stage) => stage.publish('pev', 'hi')],
    ],
  },
  '01-polling': { before: { 3: (stage) => stage.publish('s7', 'two') } },
  '01-streaming-message-ping-deleted': {},
  '01-streaming-ttl-header-footer': publishAt(1, 'tsub', 'hi'),
  '01-websocket-message-ping-deleted': {},
  '01-websocket-ttl-header-footer': { start: '22:00:43.300', ...publishAt(1, 'tws', 'hi') },
  '02-ids-tags-two-channels': {
    begin: '22:02:47',
    setup: (stage) => {
      const [a, b] = ['csy139q', 'c0jtuqo']
      for (const [channel, text] of [
        [a, 'a0'],
        [b, 'b0'],
        [a, 'a1'],
        [b, 'b1'],
        [a, 'a2'],
        [b, 'b2'],
      ] as const) {
        stage.publish(channel, text)
      }
      stage.clock.advanceTo(timeOfDay('22:02:48'))
      stage.publish(b, 'b3')
      stage.publish(a, 'a3')
    },
  },
  '03-add-channel': {
    start: '22:27:47.500',
    ...publishBefore(
      0,
      ['bcz4s702', 'b-old1'],
      ['acd9lhzv', 'a1'],
      ['bcz4s702', 'b-old2'],
      ['bcz4s702', 'b-new'],
      ['acd9lhzv', 'a2'],
    ),
  },
  '03-backtrack-beats-resume': publishBefore(2, ['dmki3z5', '1']),
  '03-duplicate-on-join': {
    options: { deliverNextTurn: true },
    setup: async (stage) => {
      stage.burnTags(1)
      await stage.hiddenSubscriber(19000, '/ev/dnkekw1')
    },
  },
  '03-if-none-match-alone-304': TWO_CHANNELS,
  '03-if-none-match-alone-live': {},
  '03-longpoll-timeout-gap': {},
  '03-overflow': {
    setup: (stage) => {
      stage.publish('acp11h5k', '1', { eventId: 'first' })
      for (let i = 2; i <= 26; i++) stage.publish('acp11h5k', String(i))
    },
  },
  '03-polling-304-echo': publishBefore(1, ['ghhrri3', 'x']),
  '03-resume-across-modes': {
    setup: (stage) => stage.burnTags(1),
    meanwhile: [
      [1, (stage) => stage.publish('acaqfnhw', '1')],
      [2, (stage) => stage.publish('acaqfnhw', '2')],
    ],
    before: {
      1: async (stage) => {
        await stage.drop(0)
        stage.publish('acaqfnhw', '3')
        stage.publish('acaqfnhw', '4')
      },
      2: (stage) => stage.publish('acaqfnhw', '5'),
    },
  },
  '03-resume-time-tag': TWO_CHANNELS,
  '03-resume-websocket-two-channels': { ...TWO_CHANNELS, start: '22:05:34.500' },
  '04-event-id-event-type': {
    meanwhile: [
      [55, (stage) => stage.publish('ciswddd', 'nothing')],
      [56, (stage) => stage.publish('ciswddd', 'q"t', { eventId: 'a"b c\\', eventType: 'x y' })],
    ],
  },
  '05-status-403': {
    setup: async (stage) => {
      await stage.hiddenSubscriber(19010, '/ev/hca2pg1m')
      await stage.hiddenSubscriber(19010, '/ev/hca2pg1m')
    },
  },
  '05-status-4xx': {},
  '05-websocket-bad-handshake': {},
  '05-websocket-rejected-after-101': { start: '22:10:51' },
  '06-names-double-decoding': publishBefore(0, ['cuo5fxo', 'A'], ['cu4d327', 'B']),
  '06-same-channel-twice': { setup: (stage) => stage.burnTags(8), ...publishAt(1, 'ce272e7', 'once') },
  '07-delete-one-of-two-channels': {
    meanwhile: [
      [4, (stage) => stage.publish('md1', 'x')],
      [106, (stage) => stage.publish('md1', 'recreated')],
      [107, (stage) => stage.publish('md2', 'y')],
    ],
  },
  '07-publish': {},
  '07-statistics': {
    begin: '22:22:40',
    setup: (stage) => {
      earlierEvents(stage, 36)
      stage.clock.advanceTo(timeOfDay('22:22:52'))
      stage.publish('sti826mt', 'x')
      stage.publish('sti826mtz', 'x')
    },
  },
  '07-statistics-negotiation': publishBefore(0, ['sti826mt', 'x']),
  '08-raw-template-control-messages': {
    meanwhile: [
      [1504.9, (stage) => stage.publish('rx7h73m', '{"ok":true}')],
      [4109, (stage) => void stage.server(19003).deleteChannel('rx7h73m')],
    ],
  },
  '08-text-escaping-eventsource': awkwardBodies([3, 47, 89, 129, 171, 213, 255, 296, 337, 379, 420, 461, 504, 545]),
  '08-text-escaping-websocket': awkwardBodies([2, 45, 87, 128, 170, 212, 253, 295, 335, 377, 419, 460, 502, 544]),
  '09-cors': publishBefore(0, ['kd5jdez', 'x']),
  '10-quit': { meanwhile: [[2500, (stage) => stage.server(19040).quit()]] },
  '10-reload': { meanwhile: [[55, (stage) => stage.server(19020).reload()]] },
  '11-ws-binary': { start: '22:25:38' },
  '11-ws-client-close': { start: '22:25:38', elided: HANDSHAKE_END },
  '11-ws-client-ping': { start: '22:25:40', ...publishAt(62, 'wrhtix1', 'after ping') },
  '11-ws-publish-coalesced': { start: '22:25:38.800', setup: (stage) => stage.burnTags(4) },
  '11-ws-publish': { start: '22:25:38' },
  '12-events-channel': {
    start: '22:27:31.050',
    begin: '22:27:20.132',
    setup: (stage) => earlierEvents(stage, 42),
    meanwhile: [
      [
        1,
        async (stage) => {
          await stage.hiddenSubscriber(19011, '/ev/vefpqcv')
          stage.server(19011).publish('vefpqcv', 'x', { store: false })
        },
      ],
      [32, (stage) => stage.dropHidden()],
    ],
  },
  '12-jsonp': {
    setup: (stage) => {
      stage.burnTags(2)
      stage.publish('klhb5s1', 'x')
      stage.publish('klhb5s1', 'y')
    },
    meanwhile: [[52, (stage) => stage.publish('klhb5s1', 'z')]],
  },
  '12-longpoll-batch': publishBefore(
    2,
    ['gcs4zky', '}{"0'],
    ['gcs4zky', '}{"1'],
    ['gcs4zky', '}{"2'],
    ['gcs4zky', '}{"3'],
  ),
  '12-longpoll-keepalive': {
    setup: (stage) => stage.burnTags(1),
    meanwhile: [
      [101, (stage) => stage.publish('k8ubf1b', 'm0')],
      [303, (stage) => stage.publish('k8ubf1b', 'm1')],
    ],
  },
  '12-mode-header': {
    ...publishBefore(0, ['ksacg8m', 'x']),
    meanwhile: [[51, (stage) => stage.publish('ksacg8m', 'y')]],
  },
}

/** The transcripts that are not replayed, and why. */
export const OUT: Record<string, string> = {
  '12-gzip': 'compression is nginx’s own, not the module’s, and its bytes depend on the version of zlib',
  '13-race-counts': 'statistics of races, not bytes; delivery.test.ts checks that the simulated workers race likewise',
}
