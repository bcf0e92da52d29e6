import type { Symptom } from './types.js'

/** What a symptom comes from, and what mends it. */
export interface Advice {
  readonly title: string
  readonly cause: string
  readonly mend: string
}

/**
 * The long form of `symptoms.ts`. The client does not ship it: docs/troubleshooting.md says the same, and a test compares
 * them.
 */
export const advice: Record<Symptom, Advice> = {
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
  },
  credentials: {
    title: 'Cookies of another origin',
    cause: 'The page is of another origin, so the browser sends no cookies, or the server does not allow them.',
    mend:
      `Set \`credentials: 'include'\`. nginx must then answer with the page's own origin, not \`*\`, and with ` +
      '`add_header Access-Control-Allow-Credentials true always`.',
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
  },
  unreadable: {
    title: 'Messages that cannot be read',
    cause: 'Frames arrive that the template does not describe. Each is a `deadletter`; the console names the first.',
    mend:
      'Set `messageTemplate` to the text of `push_stream_message_template`, or the `json…Key` options to its keys. Listen to ' +
      '`deadletter` to see every frame.',
  },
  template: {
    title: 'A template without id, time or tag',
    cause:
      'Messages arrive, but their template has no `~id~`, `~time~` or `~tag~`. Without an id a loss is not seen, and without ' +
      'time and tag an interrupted connection does not go on exactly where it was.',
    mend:
      'Set `push_stream_message_template` to the template of README.md. `status.resume` and `status.gaps` say what holds until ' +
      'then.',
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
  },
  idle: {
    title: 'A client that receives nothing',
    cause: 'The client has channels and was never connected, or it was connected and has no channel.',
    mend: 'Call both `addChannel` and `connect`.',
  },
}
