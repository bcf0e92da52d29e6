import { bad, type PushStreamError } from './errors.js'
import type { ModeName, NamedTransports, Transport } from './types.js'

// What a developer gets wrong and sees at once. `validate.production.ts` checks nothing of it.

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
  function: 'protocol onUnauthorized persist share',
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
function unknown(kind: string, name: string, names: readonly string[]): PushStreamError {
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

/** Throws a `bad-option` error for anything that is said of a channel but `backtrack`. */
export function checkChannelOptions(options: object): void {
  for (const name of Object.keys(options)) if (name !== 'backtrack') throw unknown('option', name, ['backtrack'])
}

/** Throws a `bad-option` error for a processor that can't be called. */
export function checkProcessor(process: unknown): void {
  if (typeof process !== 'function') throw bad('A processor is a function.')
}

/** Throws a `bad-option` error for modes that are unknown, or not all different. */
export function checkModes(list: unknown, named: NamedTransports, own: readonly ModeName[]): void {
  if (!Array.isArray(list)) throw bad(`'modes' is an array, or names with | between them.`)
  const modes = list.map((one: ModeName | Transport) => {
    const mode = typeof one === 'string' ? one : typeof one?.open === 'function' ? one.name : undefined
    if (!own.includes(mode as ModeName)) throw unknown('mode', String(mode ?? one), own)
    if (mode === one && named[mode] === undefined) {
      throw bad(
        `Client takes transports, not names: import { ${mode} } and set modes: [${mode}]. PushStream takes both.`,
      )
    }
    return mode
  })
  if (list.length === 0 || new Set(modes).size < list.length)
    throw bad(`'modes' names at least one mode, and none twice.`)
}

function checkUrl(url: unknown): void {
  const all = typeof url === 'string' ? [url] : url
  if (!Array.isArray(all) || all.length === 0 || all.some((one) => typeof one !== 'string')) {
    throw bad(`'url' is an address, or an array of at least one address.`)
  }
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
    if (name === 'url') checkUrl(value)
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
