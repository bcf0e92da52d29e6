import { type ErrorCode, type ErrorDetails, PushStreamError } from './errors.js'
import type { Symptom } from './types.js'

/** The one thing to change, in a few words. `troubleshooting.ts` says more under the same names. */
const remedies: Record<Symptom, string> = {
  unreachable: 'Is a server running there?',
  cors: 'Is a server running there? Is this page in its push_stream_allowed_origins?',
  credentials: `Set credentials: 'include', and in nginx Access-Control-Allow-Credentials.`,
  mixed: `An https page needs an https 'url'.`,
  csp: `Add it to connect-src of the Content-Security-Policy.`,
  websocket: 'Is a websocket location there? Does each proxy pass upgrades on?',
  foreign: 'No push server answers like that: does its location match?',
  missing: `No such location: set urlPrefix…, or 'protocol'.`,
  nchan: 'It looks like Nchan: set protocol: nchan().',
  module: `It looks like the push stream module: leave out 'protocol'.`,
  buffered: 'Set proxy_buffering off in each proxy.',
  slow: 'Is a server running there? HTTP/1.1 has six streams for all tabs: use websocket or HTTP/2.',
  forbidden: 'Check who may subscribe: auth_request, push_stream_authorized_channels_only.',
  unreadable: 'Compare messageTemplate with push_stream_message_template.',
  template: 'Add ~id~, ~time~ and ~tag~ to push_stream_message_template.',
  unstored:
    'Set push_stream_store_messages on, push_stream_last_received_message_time $arg_time, …_tag $arg_tag and ' +
    'push_stream_last_event_id $arg_eventid.',
  idle: 'Call addChannel and connect.',
}

/** What a word says. */
const facts: Record<string, string> = {
  idle: 'The client receives nothing.',
  template: 'Messages can be lost unseen.',
  position: 'The server sends no message again, so those of an interruption are lost.',
  lastEventId: 'The server has messages, and sends none after lastEventId.',
  gone: 'The server no longer answers.',
  deaf: 'The connection delivers nothing.',
}

function sentence(code: ErrorCode, what: string, { channel, symptom, url }: ErrorDetails): string {
  const at = url ? ` at ${url}` : ''
  if (code === 'silent') return `${facts[what]} The client reconnects to ${url}.`
  if (code === 'setup') return facts[what] ?? `A message can't be read, ${what}`
  if (channel)
    return `The server refuses the channel '${channel.slice(0, 80)}' ${what || 'while it takes others'}${at}.`
  if (what) return `${what}${at}. The client tries again.`
  return symptom === 'csp' ? `${url} is blocked.` : `No answer yet from ${url ?? 'the server'}.`
}

/** An error that says what happened, from a few words of it, and ends with what mends it. */
export function troubled(code: ErrorCode, what: string, details: ErrorDetails): PushStreamError {
  const { symptom } = details
  const message = sentence(code, what, details)
  return new PushStreamError(code, symptom ? `${message} ${remedies[symptom]}` : message, details)
}
