import { nchan } from '@pushstream/core'
import { type DiagnoseOptions, formatReport, type Report } from '@pushstream/core/diagnose'
import { describe, expect, test } from 'vitest'
import { type Change, examine, startPatient } from './diagnose-support.js'

// One good configuration, and one changed line for each fault: the doctor names that fault and no other.

/** What was found: each fault, and the modes that showed it. */
const faultsOf = ({ findings }: Report) =>
  findings.map(({ fault, modes }) => (modes.length > 0 ? `${fault}: ${modes.join(' ')}` : fault))

const everywhere = 'websocket eventsource longpolling'

interface Case {
  /** What is wrong. */
  readonly wrong: string
  readonly change: Change
  /** What is found. */
  readonly found: string
  /** A part of what was seen, where the fault alone does not say enough. */
  readonly detail?: string
  readonly options?: DiagnoseOptions
  /** Without a publisher. */
  readonly alone?: true
}

/** Node has no page: a client in it sends headers too. */
const ownPages = { origin: undefined, credentials: undefined } as unknown as DiagnoseOptions

const unbuffered: Change = ['proxy_http_version 1.1;\n      proxy_buffering off;', '']

const location = (mode: string) => `    location ~ ^/${mode}/(?<channels>.+)$ {\n`
const template = `push_stream_message_template '{"id":~id~,"channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~","eventid":"~event-id~"}'`
const without = (field: string) => template.replace(field, '')

const cases: Case[] = [
  // Locations.
  { wrong: 'no websocket location', change: [location('ws'), location('socket')], found: 'missing: websocket' },
  { wrong: 'no eventsource location', change: [location('ev'), location('events')], found: 'missing: eventsource' },
  { wrong: 'no long-polling location', change: [location('lp'), location('poll')], found: 'missing: longpolling' },
  {
    wrong: 'a page answers at the place of the eventsource',
    change: [
      location('ev'),
      `    location /ev/ { default_type text/html; return 200 '<!doctype html>'; }\n${location('events')}`,
    ],
    found: 'foreign: eventsource',
  },
  {
    wrong: 'a page answers at the place of the websocket',
    change: [
      location('ws'),
      `    location /ws/ { default_type text/html; return 200 '<!doctype html>'; }\n${location('socket')}`,
    ],
    found: 'foreign: websocket',
  },
  {
    wrong: 'a redirect to a login at the place of the long-polls',
    change: [
      location('lp'),
      `    location /lp/ { return 302 /login; }\n    location = /login { default_type text/html; return 200 '<!doctype html>'; }\n${location('poll')}`,
    ],
    found: 'foreign: longpolling',
  },
  {
    wrong: 'the eventsource location streams',
    change: ['push_stream_subscriber eventsource', 'push_stream_subscriber streaming'],
    found: 'mode: eventsource',
  },
  {
    wrong: 'the eventsource location is one of long-polling',
    change: ['push_stream_subscriber eventsource', 'push_stream_subscriber long-polling'],
    found: 'mode: eventsource',
  },
  {
    wrong: 'the long-polling location is one of websockets',
    change: ['push_stream_subscriber long-polling', 'push_stream_subscriber websocket'],
    found: 'mode: longpolling',
  },
  {
    wrong: 'the long-polling location is one of eventsource',
    change: ['push_stream_subscriber long-polling', 'push_stream_subscriber eventsource'],
    found: 'mode: longpolling',
  },
  {
    wrong: 'the long-polling location streams',
    change: ['push_stream_subscriber long-polling', 'push_stream_subscriber streaming'],
    found: 'mode: longpolling',
  },
  {
    wrong: 'the websocket location is one of eventsource',
    change: ['push_stream_subscriber websocket', 'push_stream_subscriber eventsource'],
    found: 'mode: websocket',
  },
  {
    wrong: 'the expression of a location takes the first name alone',
    change: [location('ev'), location('ev').replace('.+)$', '[^/]+)')],
    found: 'names: eventsource',
  },
  {
    wrong: 'the expression of a location takes a part of the name',
    change: [location('lp'), location('lp').replace('.+)$', '\\w+)')],
    found: 'names: longpolling',
  },
  {
    wrong: 'a location with another channel than the publisher',
    change: ['push_stream_channels_path $arg_id', 'push_stream_channels_path "shop-$arg_id"'],
    found: `names: ${everywhere}`,
  },
  // Proxies.
  { wrong: 'a proxy as nginx has it by default', change: unbuffered, found: 'buffered: eventsource' },
  {
    wrong: 'a proxy as nginx has it by default, without a publisher',
    change: unbuffered,
    found: 'buffered: eventsource',
    alone: true,
  },
  {
    wrong: 'a proxy that compresses the stream',
    change: ['proxy_buffering off;', 'gzip on; gzip_types text/event-stream; gzip_proxied any;'],
    found: 'buffered: eventsource',
  },
  {
    wrong: 'a proxy that passes no upgrade on',
    change: ['proxy_set_header Upgrade $http_upgrade', 'proxy_set_header X-Upgrade $http_upgrade'],
    found: 'websocket: websocket',
  },
  {
    wrong: 'a proxy that ends what is silent',
    change: ['proxy_read_timeout 1h', 'proxy_read_timeout 800ms'],
    found: `cut: ${everywhere}`,
  },
  { wrong: 'no pings', change: ['push_stream_ping_message_interval 1s;', ''], found: 'pings: eventsource' },
  // What is stored, and how it is asked for.
  {
    wrong: 'nothing is stored',
    change: ['push_stream_store_messages on', 'push_stream_store_messages off'],
    found: `unstored: ${everywhere}`,
  },
  {
    wrong: 'only one message is stored',
    change: ['push_stream_max_messages_stored_per_channel 100', 'push_stream_max_messages_stored_per_channel 1'],
    found: 'few',
  },
  {
    wrong: 'the time is not read',
    change: ['push_stream_last_received_message_time "$arg_time";', ''],
    found: `time: ${everywhere}`,
  },
  {
    wrong: 'the time is not read, and pages have the origin of the server',
    change: ['push_stream_last_received_message_time "$arg_time";', ''],
    found: 'time: websocket',
    options: ownPages,
  },
  {
    wrong: 'the tag is not read',
    change: ['push_stream_last_received_message_tag "$arg_tag";', ''],
    found: `tag: ${everywhere}`,
  },
  {
    wrong: 'the tag is not read, and pages have the origin of the server',
    change: ['push_stream_last_received_message_tag "$arg_tag";', ''],
    found: 'tag: websocket',
    options: ownPages,
  },
  {
    wrong: 'the event id is not read',
    change: ['push_stream_last_event_id "$arg_eventid";', ''],
    found: `eventid: ${everywhere}`,
  },
  {
    wrong: 'the event id is not read, and pages have the origin of the server',
    change: ['push_stream_last_event_id "$arg_eventid";', ''],
    found: 'eventid: websocket',
    options: ownPages,
  },
  {
    wrong: 'the time is read from another argument',
    change: ['message_time "$arg_time"', 'message_time "$arg_since"'],
    found: `time: ${everywhere}`,
  },
  // The template.
  { wrong: 'a template without id', change: [template, without('"id":~id~,')], found: 'template', detail: 'no ~id~' },
  {
    wrong: 'a template without channel',
    change: [template, without('"channel":"~channel~",')],
    found: 'template',
    detail: 'no ~channel~',
  },
  {
    wrong: 'a template without tag',
    change: [template, without(',"tag":"~tag~"')],
    found: 'template',
    detail: 'no ~tag~',
  },
  {
    wrong: 'a template without time',
    change: [template, without(',"time":"~time~"')],
    found: 'template',
    detail: 'no ~time~',
  },
  {
    wrong: 'a template without event id',
    change: [template, without(',"eventid":"~event-id~"')],
    found: 'template',
    detail: 'no ~event-id~',
  },
  {
    wrong: 'a template of channel and text',
    change: [template, `push_stream_message_template '{"channel":"~channel~","text":"~text~"}'`],
    found: 'template',
    detail: 'no ~id~, ~tag~, ~time~, ~event-id~',
  },
  {
    wrong: 'no template',
    change: [`${template};`, ''],
    found: 'template',
    detail: 'no ~id~, ~channel~, ~tag~, ~time~, ~event-id~',
  },
  {
    wrong: 'a template with other keys',
    change: [template, template.replace('"text"', '"body"')],
    found: `unreadable: ${everywhere}`,
  },
  // Who may.
  {
    wrong: 'a channel has to exist',
    change: [
      'push_stream_shared_memory_size 32m;',
      'push_stream_shared_memory_size 32m; push_stream_authorized_channels_only on;',
    ],
    found: `forbidden: ${everywhere}`,
    alone: true,
    options: { channel: 'not-there' },
  },
  {
    wrong: 'websockets are denied',
    change: ['push_stream_subscriber websocket;', 'push_stream_subscriber websocket; deny all;'],
    found: 'forbidden: websocket',
  },
  {
    wrong: 'the page has to sign in for long-polls',
    change: [
      'push_stream_subscriber long-polling;',
      'push_stream_subscriber long-polling; auth_basic x; auth_basic_user_file /dev/null;',
    ],
    found: 'forbidden: longpolling',
  },
  {
    wrong: 'no origin is allowed',
    change: ['push_stream_allowed_origins "$http_origin";', ''],
    found: 'cors: eventsource longpolling',
  },
  {
    wrong: 'another origin is allowed',
    change: ['push_stream_allowed_origins "$http_origin";', 'push_stream_allowed_origins "https://other.example.org";'],
    found: 'cors: eventsource longpolling',
  },
  {
    wrong: 'every origin is allowed, and cookies are sent',
    change: ['push_stream_allowed_origins "$http_origin";', 'push_stream_allowed_origins "*";'],
    found: 'credentials: eventsource longpolling',
  },
  {
    wrong: 'cookies are not allowed',
    change: ['add_header Access-Control-Allow-Credentials true always;', ''],
    found: 'credentials: eventsource longpolling',
  },
  // The publisher.
  { wrong: 'no publisher', change: ['location = /pub {', 'location = /publish {'], found: 'publisher', detail: '404' },
  {
    wrong: 'publishing is denied',
    change: ['push_stream_publisher admin;', 'push_stream_publisher admin; deny all;'],
    found: 'publisher',
    detail: '403',
  },
  {
    wrong: 'the publisher reads another argument',
    change: ['push_stream_channels_path $arg_id', 'push_stream_channels_path $arg_channel'],
    found: 'publisher',
    detail: '400',
  },
  // Limits.
  {
    wrong: 'long addresses are refused',
    change: ['large_client_header_buffers 4 8k', 'large_client_header_buffers 4 4k'],
    found: 'buffers',
    options: { limits: true },
  },
  {
    wrong: 'few subscribers are allowed',
    change: [
      'push_stream_shared_memory_size 32m;',
      'push_stream_shared_memory_size 32m; push_stream_max_subscribers_per_channel 5;',
    ],
    found: 'limits',
    options: { limits: true },
  },
]

const subscriber = `    location ~ ^/sub/(?<channel>.+)$ {
      nchan_subscriber;
`
const onlyBy = (modes: string): Change => [subscriber, subscriber.replace('subscriber;', `subscriber ${modes};`)]

const nchanCases: Case[] = [
  {
    wrong: 'no location',
    change: [subscriber, subscriber.replace('/sub', '/events')],
    found: `missing: ${everywhere}`,
  },
  { wrong: 'websocket is left out', change: onlyBy('eventsource longpoll'), found: 'websocket: websocket' },
  { wrong: 'eventsource is left out', change: onlyBy('websocket longpoll'), found: 'mode: eventsource' },
  { wrong: 'long-polling is left out', change: onlyBy('websocket eventsource'), found: 'mode: longpolling' },
  { wrong: 'a proxy as nginx has it by default', change: unbuffered, found: 'buffered: eventsource' },
  {
    wrong: 'a proxy that passes no upgrade on',
    change: ['proxy_set_header Upgrade $http_upgrade', 'proxy_set_header X-Upgrade $http_upgrade'],
    found: 'websocket: websocket',
  },
  {
    wrong: 'a proxy that ends what is silent',
    change: ['proxy_read_timeout 1h', 'proxy_read_timeout 800ms'],
    found: `cut: ${everywhere}`,
  },
  { wrong: 'no pings', change: ['nchan_eventsource_ping_interval 1;', ''], found: 'pings: eventsource' },
  {
    wrong: 'nothing is stored',
    change: ['nchan_message_buffer_length 100', 'nchan_store_messages off'],
    found: `unstored: ${everywhere}`,
  },
  {
    wrong: 'only one message is stored',
    change: ['nchan_message_buffer_length 100', 'nchan_message_buffer_length 1'],
    found: 'few',
  },
  {
    wrong: 'the position is read from another argument',
    change: [subscriber, `${subscriber}      nchan_subscriber_last_message_id "$arg_since";\n`],
    found: `time: ${everywhere}`,
  },
  {
    wrong: 'the subscriber has another channel than the publisher',
    change: [
      subscriber,
      subscriber.replace('nchan_subscriber;', 'nchan_subscriber; nchan_channel_id_split_delimiter "-";'),
    ],
    found: `names: ${everywhere}`,
  },
  {
    wrong: 'a channel has to exist',
    change: [subscriber, `${subscriber}      nchan_subscribe_existing_channels_only on;\n`],
    found: `forbidden: ${everywhere}`,
    alone: true,
    options: { channel: 'not-there' },
  },
  {
    wrong: 'another origin is allowed',
    change: ['allow_origin "$http_origin"', 'allow_origin "https://other.example.org"'],
    found: `cors: ${everywhere}`,
  },
  {
    wrong: 'cookies are not allowed',
    change: ['allow_credentials on', 'allow_credentials off'],
    found: 'credentials: eventsource longpolling',
  },
  { wrong: 'no publisher', change: ['location ~ ^/pub/', 'location ~ ^/publish/'], found: 'publisher', detail: '404' },
  {
    wrong: 'publishing is denied',
    change: ['nchan_publisher;', 'nchan_publisher; deny all;'],
    found: 'publisher',
    detail: '403',
  },
  {
    wrong: 'few subscribers are allowed',
    change: [subscriber, `${subscriber}      nchan_max_channel_subscribers 5;\n`],
    found: 'limits',
    options: { limits: true },
  },
]

describe('the push stream module', () => {
  test.concurrent('as it should be → nothing is found, and everything was looked at', async () => {
    const patient = await startPatient('doctor', [])
    const report = await examine({ url: patient.url, publish: patient.publish, limits: true })
    await patient.close()
    expect(report.ok, formatReport(report)).toBe(true)
    expect(report.rows.filter(({ outcome }) => outcome === 'unknown').map(({ check }) => check)).toEqual([
      'http version',
    ])
  })

  test.concurrent.each(cases)('$wrong → $found', async ({ change, found, detail, options, alone }) => {
    const patient = await startPatient('doctor', [change])
    const report = await examine({ url: patient.url, ...(!alone && { publish: patient.publish }), ...options })
    await patient.close()
    expect(faultsOf(report), formatReport(report)).toEqual([found])
    if (detail) expect(report.findings[0]?.detail).toContain(detail)
  })
})

describe('Nchan', () => {
  const start = async (changes: readonly Change[], alone?: boolean, options?: DiagnoseOptions) => {
    const patient = await startPatient('doctor-nchan', changes)
    const publisher = !alone && { publish: patient.publish }
    const report = await examine({ url: patient.url, protocol: nchan(), ...publisher, ...options })
    await patient.close()
    return report
  }

  test.concurrent('as it should be → nothing is found', async () => {
    const report = await start([], false, { limits: true })
    expect(report.ok, formatReport(report)).toBe(true)
    expect(report.rows.filter(({ outcome }) => outcome === 'unknown').map(({ check }) => check)).toEqual([
      'template',
      'resume by event id',
      'several channels',
      'http version',
    ])
  })

  test.concurrent.each(nchanCases)('$wrong → $found', async ({ change, found, detail, options, alone }) => {
    const report = await start([change], alone, options)
    expect(faultsOf(report), formatReport(report)).toEqual([found])
    if (detail) expect(report.findings[0]?.detail).toContain(detail)
  })
})
