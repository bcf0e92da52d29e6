import type { Symptom } from './types.js'

/** What is wrong: a symptom that the client reports by itself, or something that only `diagnose` looks for. */
export type Fault =
  | Symptom
  | 'mode'
  | 'names'
  | 'publisher'
  | 'few'
  | 'time'
  | 'tag'
  | 'eventid'
  | 'pings'
  | 'cut'
  | 'buffers'
  | 'limits'
  | 'connections'

/** What a fault comes from, and what mends it. */
export interface Advice {
  readonly title: string
  readonly cause: string
  readonly mend: string
  /** The directives to change in the configuration of the push stream module, and of Nchan. */
  readonly pushStream?: string
  readonly nchan?: string
}

/**
 * The long form of `symptoms.ts`. The client does not ship it. `diagnose` prints it, docs/troubleshooting.md says the
 * same, and a test compares them.
 */
export const advice: Record<Fault, Advice> = {
  unreachable: {
    title: 'No server answers',
    cause: 'Nothing listens at the address, or the network ends the request.',
    mend: 'Open the address of the message in a browser or with curl. Start nginx, or correct `url`.',
  },
  cors: {
    title: 'The page may not see the answer',
    cause:
      'The page is of another origin than the server, and the browser shows it no answer. Either nothing listens at the ' +
      'address, or the answer has no Access-Control-Allow-Origin.',
    mend:
      'Set `push_stream_allowed_origins` (`nchan_access_control_allow_origin` for Nchan) in each subscriber location, or ' +
      'serve page and push from one origin. With `add_header` write `always`, so that errors have the header too.',
    pushStream: 'push_stream_allowed_origins $http_origin;',
    nchan: 'nchan_access_control_allow_origin $http_origin;',
  },
  credentials: {
    title: 'Cookies of another origin',
    cause: 'The page is of another origin, so the browser sends no cookies, or the server does not allow them.',
    mend:
      `Set \`credentials: 'include'\`. nginx must then answer with the page's own origin, not \`*\`, and with ` +
      '`add_header Access-Control-Allow-Credentials true always`.',
    pushStream: 'add_header Access-Control-Allow-Credentials true always;',
    nchan: 'nchan_access_control_allow_credentials on;',
  },
  mixed: {
    title: 'An https page, an http server',
    cause: 'Browsers keep pages that came by https from requests by http and ws, except to the same machine.',
    mend: 'Give nginx a certificate and set `url` to its https address.',
  },
  csp: {
    title: `The page's Content-Security-Policy`,
    cause: 'The policy of the page does not list the address in `connect-src`, so the browser sends nothing.',
    mend: 'Add the origin of the server to `connect-src`, and the same with `wss:` for websockets.',
  },
  websocket: {
    title: 'A websocket that does not open',
    cause: 'A browser hides why: no location, a refusal, no server, or a proxy that does not pass upgrades on.',
    mend:
      'Check the location (`push_stream_subscriber websocket`) and each proxy before it: `proxy_http_version 1.1`, ' +
      '`proxy_set_header Upgrade $http_upgrade`, `proxy_set_header Connection "upgrade"`. Add `eventsource` to `modes`: ' +
      'its errors show a status.',
    pushStream:
      'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";',
    nchan: 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";',
  },
  foreign: {
    title: 'Something else answers',
    cause: 'A page, a file, an empty answer or a login answers with status 200 where a push server was expected.',
    mend:
      'Check that the path of the message reaches the location of the push server: a catch-all or a redirect to a login ' +
      'may come first. Correct `url` and the options whose names begin with `urlPrefix`.',
  },
  missing: {
    title: 'No location',
    cause: 'nginx answers, and has no location of this mode at this path.',
    mend:
      'Add the location, set the option that begins with `urlPrefix`, or leave the mode out of `modes`. For Nchan and ' +
      'django-eventstream set `protocol`.',
    pushStream: 'push_stream_subscriber websocket; # or eventsource, long-polling, streaming',
    nchan: 'nchan_subscriber;',
  },
  nchan: {
    title: 'The server is Nchan',
    cause: 'The answer is one of Nchan, and the client speaks the protocol of the push stream module.',
    mend: `Set \`protocol: nchan({ url: '/sub/{channel}' })\`, with the path of your location. See nchan.md.`,
  },
  module: {
    title: 'The server is the push stream module',
    cause: 'The answer is one of nginx-push-stream-module, and the client speaks the protocol of Nchan.',
    mend: 'Leave `protocol` out.',
  },
  buffered: {
    title: 'A proxy keeps the stream',
    cause: 'The headers of an event stream came, and its first byte did not, although servers send them together.',
    mend:
      'Set `proxy_buffering off` (or send `X-Accel-Buffering: no`) in each proxy before the server, and turn off what ' +
      'compresses or scans the answer.',
    pushStream: 'proxy_buffering off;',
    nchan: 'proxy_buffering off;',
  },
  slow: {
    title: 'Nothing comes for three seconds',
    cause:
      'The server does not answer, or the browser has not sent the request yet: over HTTP/1.1 it opens six connections to ' +
      'an origin, for all of its tabs. Streams and long-polls keep theirs.',
    mend: 'Put `websocket` first in `modes`, or serve HTTP/2. Else check that nothing drops packets to the server.',
  },
  forbidden: {
    title: 'A channel is refused',
    cause: 'The server refuses the channel. Its own words stand in the message.',
    mend:
      'Check `auth_request`, `push_stream_authorized_channels_only` (a channel must exist before it is subscribed to) and ' +
      '`push_stream_wildcard_channel_max_qtd`. Then call `addChannel` again.',
    pushStream: 'push_stream_authorized_channels_only off;',
    nchan: 'nchan_subscribe_existing_channels_only off;',
  },
  unreadable: {
    title: 'Messages that cannot be read',
    cause: 'Frames arrive that the template does not describe. Each is a `deadletter`; the console names the first.',
    mend:
      'Set `messageTemplate` to the text of `push_stream_message_template`, or the `json…Key` options to its keys. Listen to ' +
      '`deadletter` to see every frame.',
    pushStream:
      'push_stream_message_template \'{"id":~id~,"channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~","eventid":"~event-id~"}\';',
  },
  template: {
    title: 'A template without id, time or tag',
    cause:
      'Messages arrive, but their template has no `~id~`, `~time~` or `~tag~`. Without an id a loss is not seen, and without ' +
      'time and tag an interrupted connection does not go on exactly where it was.',
    mend:
      'Set `push_stream_message_template` to the template of README.md. `status.resume` and `status.gaps` say what holds until ' +
      'then.',
    pushStream:
      'push_stream_message_template \'{"id":~id~,"channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~","eventid":"~event-id~"}\';',
  },
  unstored: {
    title: 'The server repeats nothing',
    cause:
      'The client asked for messages from a position on, and not even the newest one came again. Or it asked for what ' +
      'follows `lastEventId`, and nothing came, although messages are stored. The location stores none, does not read the ' +
      'position, or no longer has the message with that id.',
    mend:
      'Set `push_stream_store_messages on` in the publisher location. In the subscriber locations set ' +
      '`push_stream_last_received_message_time $arg_time`, `push_stream_last_received_message_tag $arg_tag` and ' +
      '`push_stream_last_event_id $arg_eventid`.',
    pushStream: 'push_stream_store_messages on;',
    nchan: 'nchan_store_messages on;',
  },
  idle: {
    title: 'A client that receives nothing',
    cause: 'The client has channels and was never connected, or it was connected and has no channel.',
    mend: 'Call both `addChannel` and `connect`.',
  },
  mode: {
    title: 'A location of another mode',
    cause: 'The push server answers at this path, and not in the mode that the client asked for.',
    mend: 'Set `push_stream_subscriber` of this location to the mode, or correct the option that begins with `urlPrefix`.',
    pushStream: 'push_stream_subscriber eventsource; # or websocket, long-polling, streaming',
    nchan: 'nchan_subscriber websocket eventsource longpoll http-multipart;',
  },
  names: {
    title: 'A location that reads another channel',
    cause:
      'A connection is accepted, and does not bring what is published to its channel. The expression of a location may ' +
      'leave out a part of the name or all names but the first, or publisher and subscribers name their channels ' +
      'differently.',
    mend: 'Name what the expression of the location captures, end the expression with `$`, and use the name.',
    pushStream: 'location ~ ^/ev/(?<channels>.+)$ { push_stream_channels_path $channels; }',
    nchan: 'location ~ ^/sub/(?<channel>.+)$ { nchan_channel_id $channel; }',
  },
  publisher: {
    title: 'Nothing can be published',
    cause: 'The address of the publisher does not take a message.',
    mend: 'Check the address, who may reach it (`allow`, `deny`), and which argument names the channel.',
    pushStream: 'push_stream_publisher admin; push_stream_channels_path $arg_id;',
    nchan: 'nchan_publisher; nchan_channel_id $channel;',
  },
  few: {
    title: 'Too few messages are stored',
    cause: 'The server forgets messages that are seconds old. A connection that is lost for a moment then misses them.',
    mend: 'Store as many messages as are published in the longest interruption that pages are to survive.',
    pushStream: 'push_stream_max_messages_stored_per_channel 100; push_stream_message_ttl 30m;',
    nchan: 'nchan_message_buffer_length 100; nchan_message_timeout 1h;',
  },
  time: {
    title: 'The position is not read',
    cause: 'The server does not repeat what follows the time of a message. Messages published meanwhile are lost.',
    mend: 'Bind the time to the argument that the client sends. A websocket sends nothing else.',
    pushStream: 'push_stream_last_received_message_time "$arg_time";',
    nchan: 'nchan_subscriber_last_message_id "$http_last_event_id" "$arg_last_event_id";',
  },
  tag: {
    title: 'The tag is not read',
    cause:
      'The server reads the time of a position and not its tag. It then leaves out what was published in the same second.',
    mend: 'Bind the tag to the argument that the client sends. A websocket sends nothing else.',
    pushStream: 'push_stream_last_received_message_tag "$arg_tag";',
  },
  eventid: {
    title: 'The event id is not read',
    cause: 'The server does not repeat what follows an event id, so `lastEventId` does nothing.',
    mend: 'Bind the event id to the argument that the client sends. If your pages do not use it, ignore this.',
    pushStream: 'push_stream_last_event_id "$arg_eventid";',
  },
  pings: {
    title: 'No pings',
    cause:
      'A silent connection brought no ping. Proxies end connections that are silent for long, often after 60 s, and a dead ' +
      'one is noticed later.',
    mend: 'Let the server ping. If its interval is longer than the doctor waited, let it wait longer.',
    pushStream: 'push_stream_ping_message_interval 10s;',
    nchan: 'nchan_eventsource_ping_interval 10; nchan_websocket_ping_interval 10;',
  },
  cut: {
    title: 'Silent connections are cut',
    cause: 'A connection broke while nothing was published. A proxy ends what is silent for longer than it allows.',
    mend: 'Set the time of the proxy far above the interval of pings and above the time of a long-poll.',
    pushStream: 'proxy_read_timeout 1h;',
    nchan: 'proxy_read_timeout 1h;',
  },
  buffers: {
    title: 'Long addresses are refused',
    cause: 'The server takes shorter addresses than the client uses for many channels (6,000 characters of names).',
    mend: 'Let it take lines of 8 KB. The client divides its channels among more connections until then.',
    pushStream: 'large_client_header_buffers 4 8k;',
    nchan: 'large_client_header_buffers 4 8k;',
  },
  limits: {
    title: 'Too few connections',
    cause: 'The server refuses a few connections at the same time, as one user with several tabs has.',
    mend: 'Raise the limit, or remove it: `limit_conn`, `worker_connections`, or the limit of subscribers.',
    pushStream: 'push_stream_max_subscribers_per_channel 10000;',
    nchan: 'nchan_max_channel_subscribers 0;',
  },
  connections: {
    title: 'Six connections for all tabs',
    cause: 'Over HTTP/1.1 a browser opens six connections to an origin, and every stream or long-poll takes one.',
    mend: 'List `websocket` first in `modes`, as browsers count websockets separately, or serve HTTP/2.',
    pushStream: 'listen 443 ssl http2;',
    nchan: 'listen 443 ssl http2;',
  },
}
