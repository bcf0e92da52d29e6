import type { Wild } from './wild.js'

// Configurations in the styles that people use, each with the options that its page needs and with what the client may
// promise there. One suite runs all of them (packages/core/test/integration/wild.test.ts), browsers some steps of them.

const exact = {
  status: { resume: 'position', gaps: 'exact' },
  cut: 'all',
  reload: 'all',
  restart: 'gap',
} as const satisfies Partial<Wild>

/** Nothing can be asked for again, and nothing shows a loss. */
const live = {
  status: { resume: 'none', gaps: 'none' },
  cut: 'unseen',
  reload: 'unseen',
  restart: 'unseen',
} as const satisfies Partial<Wild>

/** The memory store of Nchan does not survive a reload. */
const nchan = {
  server: 'nchan',
  bodies: 'plain',
  options: {},
  status: { resume: 'second', gaps: 'possible' },
  cut: 'all',
  reload: 'gap',
  restart: 'gap',
} as const satisfies Partial<Wild>

const usual = { websocket: '/ws/', eventsource: '/ev/', longpolling: '/lp/' } as const
const channels = ['news', 'user-42'] as const
const pub = '/pub?id={channel}'
const encoded = { server: 'push-stream', channels, publish: pub, bodies: 'encoded', modes: usual, options: {} } as const

export const corpus: readonly Wild[] = [
  {
    ...encoded,
    ...exact,
    name: 'prefix',
    base: '/shop/api/push',
    publish: '/shop/api/push/pub?id={channel}',
    modes: {
      websocket: '/shop/api/push/ws/',
      eventsource: '/shop/api/push/ev/',
      longpolling: '/shop/api/push/lp/',
      stream: '/shop/api/push/sub/',
    },
  },
  {
    ...encoded,
    ...exact,
    name: 'websocket-only',
    case: 1,
    publish: '/internal/publish?id={channel}',
    modes: { websocket: '/ws/' },
    elsewhere: true,
  },
  {
    ...encoded,
    ...exact,
    name: 'by-argument',
    publish: '/push/publish?ch={channel}',
    modes: { websocket: '/push/socket?', eventsource: '/push/events?', longpolling: '/push/poll?' },
    options: {
      urlPrefixWebsocket: '/push/socket',
      urlPrefixEventsource: '/push/events',
      urlPrefixLongpolling: '/push/poll',
      channelsByArgument: true,
      channelsArgument: 'ch',
      timeArgument: 'since',
      tagArgument: 'nr',
      eventIdArgument: 'event',
      jsonIdKey: 'n',
      jsonChannelKey: 'c',
      jsonTextKey: 'm',
      jsonTagKey: 'g',
      jsonTimeKey: 't',
      jsonEventIdKey: 'e',
    },
  },
  {
    ...encoded,
    ...exact,

    name: 'markers',
    case: 2,
    bodies: 'json',
    publish: '/portal/pub/?CHANNEL_ID={channel}',
    modes: { websocket: '/portal/subws/?', longpolling: '/portal/sub/?' },
    options: {
      urlPrefixWebsocket: '/portal/subws/',
      urlPrefixLongpolling: '/portal/sub/',
      channelsByArgument: true,
      channelsArgument: 'CHANNEL_ID',
      messageTemplate:
        '#!PORTAL-BEGIN!#{"id":~id~,"channel":"~channel~","tag":"~tag~","time":"~time~","eventid":"~event-id~","text":~text~}#!PORTAL-END!#',
    },
  },
  {
    ...encoded,
    name: 'ids-only',
    modes: { ...usual, stream: '/sub/' },
    status: { resume: 'none', gaps: 'exact' },
    cut: 'gap',
    reload: 'gap',
    restart: 'gap',
  },
  {
    ...encoded,
    ...live,
    name: 'raw-text',
    bodies: 'plain',
    options: { messageTemplate: '~text~', text: 'plain' },
  },
  {
    ...encoded,
    ...live,
    name: 'no-template',
    unvisited: 'its first message shows that messages name no channel, and nothing stores it',
    case: 3,
    bodies: 'plain',
    between: 'maybe',
    options: { text: 'plain' },
  },
  {
    ...encoded,
    ...exact,
    name: 'auth-request',
    channels: ['news', 'user-alice'],
    options: { params: { token: 'alice-token' } },
    refused: ['user-bob', 'forbidden'],
  },
  { ...encoded, ...exact, name: 'origins', case: 24, elsewhere: true },
  { ...encoded, ...exact, name: 'tls', tls: true },
  { ...encoded, ...exact, name: 'gzip' },
  {
    ...encoded,
    ...exact,
    name: 'longpolling-only',
    modes: { longpolling: '/activity/' },
    options: { urlPrefixLongpolling: '/activity', messagesControlByArgument: false },
  },
  {
    ...encoded,
    ...exact,
    name: 'wildcard',
    case: 13,
    channels: ['news', 'broad_all'],
    created: true,
    refused: ['nosuch', 'forbidden'],
  },
  { ...encoded, ...exact, name: 'not-stored', cut: 'gap', reload: 'gap', between: 'gap' },
  {
    ...encoded,
    ...exact,
    name: 'iframe',
    modes: { stream: '/sub/' },
    options: { messageTemplate: `<script>got(~id~,'~channel~','~text~','~tag~','~time~');</script>` },
  },
  {
    ...encoded,
    ...exact,
    name: 'nested',
    case: 6,
    bodies: 'json',
    modes: { ...usual, stream: '/sub/' },
    options: {
      messageTemplate:
        '{"meta":{"id":~id~,"channel":"~channel~","position":{"tag":"~tag~","time":"~time~"}},"payload":~text~}',
    },
  },
  {
    ...encoded,
    ...exact,
    name: 'event-type',
    case: 8,
    events: true,
    options: {
      messageTemplate:
        '{"id":~id~,"channel":"~channel~","type":"~event-type~","text":"~text~","tag":"~tag~","time":"~time~","eventid":"~event-id~"}',
    },
  },
  {
    ...encoded,
    ...exact,
    name: 'name-prefix',
    case: 16,
    channels: ['news'],
  },
  {
    ...encoded,
    ...exact,
    name: 'type-first',
    modes: { ...usual, stream: '/sub/' },
    events: true,
  },
  {
    ...encoded,
    ...exact,
    name: 'array',
    bodies: 'json',
    modes: { ...usual, stream: '/sub/' },
    options: { messageTemplate: '["~channel~",~id~,"~time~",~tag~,~text~]' },
  },
  {
    ...encoded,
    ...exact,
    name: 'xml',
    modes: { ...usual, stream: '/sub/' },
    options: {
      messageTemplate: '<message id="~id~" channel="~channel~" tag="~tag~" time="~time~"><![CDATA[~text~]]></message>',
    },
  },
  {
    ...encoded,
    ...exact,
    name: 'one-name',
    rewinds: 3500,
    modes: { ...usual, stream: '/sub/' },
  },
  {
    ...encoded,
    ...exact,
    name: 'map',
    rewinds: 3500,
    publish: '/pub?room={channel}',
    modes: { websocket: '/ws?', eventsource: '/ev?' },
    options: { channelsByArgument: true, channelsArgument: 'room' },
  },
  {
    ...nchan,
    name: 'nchan-pubsub',
    replays: true,
    channels,
    protocol: { name: 'nchan', url: '/pubsub/{channel}', publisher: '/pubsub/{channel}' },
    publish: '/pubsub/{channel}',
    modes: { websocket: '/pubsub/', eventsource: '/pubsub/', stream: '/pubsub/', longpolling: '/pubsub/' },
  },
  {
    ...nchan,
    name: 'nchan-legacy',
    replays: true,
    channels,
    protocol: { name: 'nchan', url: '/broadcast/listen?id={channel}', position: 'headers' },
    publish: '/broadcast/publish?id={channel}',
    modes: { longpolling: '/broadcast/listen?' },
  },
  {
    ...nchan,
    name: 'nchan-multiplexed',
    channels,
    // A channel that had no message yet is asked for from when it was opened, by the page's clock.
    rewinds: 3500,
    // Where a position may be wrong, everything is asked for, and such a location then begins with what is new.
    cut: 'gap',
    protocol: { name: 'nchan', url: '/listen/{channel}', separator: ',' },
    publish: '/publish?id={channel}',
    modes: { websocket: '/listen/', eventsource: '/listen/', stream: '/listen/', longpolling: '/listen/' },
  },
  {
    ...nchan,
    name: 'nchan-by-argument',
    replays: true,
    channels,
    protocol: { name: 'nchan', publisher: '/chat/send?room={channel}' },
    urls: {
      websocket: '/chat/socket?room={channel}',
      eventsource: '/chat/events?room={channel}',
      longpolling: '/chat/poll?room={channel}',
    },
    publish: '/chat/send?room={channel}',
    modes: { websocket: '/chat/socket?', eventsource: '/chat/events?', longpolling: '/chat/poll?' },
  },
  {
    ...nchan,
    name: 'nchan-auth',
    replays: true,
    channels: ['news', 'user-alice'],
    protocol: { name: 'nchan' },
    options: { params: { token: 'alice-token' } },
    publish: '/pub/{channel}',
    modes: { websocket: '/sub/', eventsource: '/sub/', longpolling: '/sub/' },
    refused: ['user-bob', 'forbidden'],
  },
  {
    ...nchan,
    // By long-polling, what is published between two polls reaches nobody.
    name: 'nchan-not-stored',
    case: 17,
    channels,
    protocol: { name: 'nchan' },
    publish: '/pub/{channel}',
    modes: { websocket: '/sub/', eventsource: '/sub/' },
    cut: 'gap',
  },
]
