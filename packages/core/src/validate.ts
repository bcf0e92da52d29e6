import { bad, type PushStreamError } from './errors.js'

/** What only the classic client has, and what takes its place in this one. */
const classic: Record<string, string> = {
  host: `use 'url'`,
  port: `use 'url'`,
  useSSL: `use 'url'`,
  extraParams: `use 'params'`,
  useJSONP: 'leave it out',
  onmessage: `use on('message', …)`,
  onerror: `use on('error', …)`,
  onstatuschange: `use on('status', …)`,
  onchanneldeleted: `use on('channeldeleted', …)`,
  ongap: `use on('gap', …)`,
}

/** The error of a name that only the classic client has. */
const classicOnly = (name: string) =>
  bad(
    `'${name}' belongs to the classic client. Import PushStream from '@pushstream/core/classic', or ${classic[name]}.`,
  )

/** Makes the assignment of a classic property throw. Otherwise a callback would be kept and never called. */
export function refuseClassic(prototype: object): void {
  for (const name of Object.keys(classic)) {
    const set = () => {
      throw classicOnly(name)
    }
    Object.defineProperty(prototype, name, { set })
  }
}

/** Every option by the types it takes: what is not here is unknown. */
const optionsByTypes = {
  'string or object': 'url modes',
  number: 'pingtimeout timeout reconnectOnTimeoutInterval reconnectOnChannelUnavailableInterval',
  'number or object': 'messagesPublishedAfter',
  'object or function': 'params headers',
  object: 'signal logger environment',
  function: 'protocol',
  boolean: 'autoReconnect messagesControlByArgument channelsByArgument',
  string:
    'lastEventId credentials text' +
    ' urlPrefixPublisher urlPrefixStream urlPrefixEventsource urlPrefixLongpolling urlPrefixWebsocket' +
    ' jsonIdKey jsonChannelKey jsonTextKey jsonTagKey jsonTimeKey jsonEventIdKey' +
    ' tagArgument timeArgument eventIdArgument channelsArgument',
  'object or string': 'messageTemplate',
}
const types = new Map(
  Object.entries(optionsByTypes).flatMap(([allowed, names]) =>
    names.split(' ').map((name) => [name, allowed] as const),
  ),
)

/** Options that take one of a few words, and the method that an object needs. */
const words: Record<string, readonly string[]> = {
  text: ['auto', 'encoded', 'plain'],
  credentials: ['omit', 'same-origin', 'include'],
}
const methods: Record<string, string> = { logger: 'debug', signal: 'addEventListener', messageTemplate: 'shape' }

/** The error of a name that is none of those known, with the one that was probably meant. */
export function unknown(kind: string, name: string, names: readonly string[]): PushStreamError {
  const begins = (length: number) =>
    names.find((other) => other.toLowerCase().startsWith(name.toLowerCase().slice(0, length)))
  const meant = begins(name.length) ?? begins(4) ?? begins(3)
  const all = names.length < 9 ? ` The ${kind}s are ${names.join(', ')}.` : ''
  return bad(`Unknown ${kind} '${name}'.${meant ? ` Did you mean '${meant}'?` : all}`)
}

const events = ['message', 'status', 'open', 'gap', 'channeldeleted', 'deadletter', 'error']

/** Throws a `bad-option` error for an event that never comes. */
export function checkEvent(name: string): void {
  if (!events.includes(name)) throw unknown('event', name, events)
}

/** How many stored messages a channel begins with. Throws a `bad-option` error for anything else that is said of it. */
export function backtrackOf({ backtrack = 0, ...others }: { backtrack?: number }): number {
  for (const name of Object.keys(others)) throw unknown('option', name, ['backtrack'])
  if (Number.isInteger(backtrack) && backtrack >= 0) return backtrack
  throw bad(`'backtrack' is a whole number from 0, not ${backtrack}.`)
}

/** Throws a `bad-option` error for an option that is unknown, or not of its type. */
export function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw bad('The options are an object.')
  for (const [name, value] of Object.entries(options)) {
    const allowed = types.get(name)
    if (allowed === undefined) {
      const theirs = Object.keys(classic).find((other) => other.toLowerCase() === name.toLowerCase())
      throw theirs ? classicOnly(theirs) : unknown('option', name, [...types.keys()])
    }
    if (value === undefined) continue
    if (value === null || !allowed.includes(typeof value)) {
      throw bad(`Option '${name}' takes ${allowed}, not ${value === null ? 'null' : typeof value}.`)
    }
    const fitting = words[name]
    if (fitting && !fitting.includes(value)) throw bad(`'${name}' is '${fitting.join(`' or '`)}'.`)
    const method = methods[name]
    if (method && typeof value[method] !== 'function') {
      const what = method === 'shape' ? `messageTemplate('…')` : `an object with a method '${method}'`
      throw bad(`'${name}' takes ${what}.`)
    }
    if (typeof value === 'number' && !(Number.isFinite(value) && (value > 0 || name === 'messagesPublishedAfter'))) {
      throw bad(`Option '${name}' takes a number above 0, not ${value}.`)
    }
  }
}
