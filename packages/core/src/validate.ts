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
    Object.defineProperty(prototype, name, {
      set() {
        throw classicOnly(name)
      },
    })
  }
}

const provider = ['object', 'function']

/** Every option with the types it takes: what is not here is unknown. */
const types: Record<string, readonly string[]> = {
  url: ['string', 'object'],
  modes: ['string', 'object'],
  pingtimeout: ['number'],
  timeout: ['number'],
  autoReconnect: ['boolean'],
  reconnectOnTimeoutInterval: ['number'],
  reconnectOnChannelUnavailableInterval: ['number'],
  lastEventId: ['string'],
  messagesPublishedAfter: ['number', 'object'],
  params: provider,
  headers: provider,
  credentials: ['string'],
  signal: ['object'],
  logger: ['object'],
  protocol: ['function'],
  environment: ['object'],
  messagesControlByArgument: ['boolean'],
  channelsByArgument: ['boolean'],
  text: ['string'],
}
for (const name of ['Publisher', 'Stream', 'Eventsource', 'Longpolling', 'Websocket'])
  types[`urlPrefix${name}`] = ['string']
for (const name of ['Id', 'Channel', 'Text', 'Tag', 'Time', 'EventId']) types[`json${name}Key`] = ['string']
for (const name of ['tag', 'time', 'eventId', 'channels']) types[`${name}Argument`] = ['string']
types.messageTemplate = ['object', 'string']

/** Options that take one of a few words, and the method that an object needs. */
const words: Record<string, readonly string[]> = {
  text: ['auto', 'encoded', 'plain'],
  credentials: ['omit', 'same-origin', 'include'],
}
const methods: Record<string, string> = { logger: 'debug', signal: 'addEventListener', messageTemplate: 'shape' }

/** The entry of a table under just this name, not under one that every object has. */
const own = <T>(table: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

const same = (name: string) => (other: string) => other.toLowerCase() === name.toLowerCase()

/** The error of a name that is none of those known, with the one that was probably meant. */
export function unknown(kind: string, name: string, names: readonly string[]): PushStreamError {
  const begins = (length: number) => (other: string) =>
    other.toLowerCase().startsWith(name.toLowerCase().slice(0, length))
  const meant = names.find(same(name)) ?? names.find(begins(4)) ?? names.find(begins(3))
  const all = names.length < 9 ? ` The ${kind}s are ${names.join(', ')}.` : ''
  return bad(`Unknown ${kind} '${name}'.${meant ? ` Did you mean '${meant}'?` : all}`)
}

const events = ['message', 'status', 'open', 'gap', 'channeldeleted', 'deadletter', 'error']

/** Throws a `bad-option` error for an event that never comes. */
export function checkEvent(name: string): void {
  if (!events.includes(name)) throw unknown('event', name, events)
}

/** Throws a `bad-option` error for an option that is unknown, or not of its type. */
export function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw bad('The options are an object.')
  for (const [name, value] of Object.entries(options)) {
    const allowed = own(types, name)
    if (allowed === undefined) {
      const theirs = Object.keys(classic).find(same(name))
      throw theirs ? classicOnly(theirs) : unknown('option', name, Object.keys(types))
    }
    if (value === undefined) continue
    if (value === null || !allowed.includes(typeof value)) {
      throw bad(`Option '${name}' takes ${allowed.join(' or ')}, not ${value === null ? 'null' : typeof value}.`)
    }
    const fitting = own(words, name)
    if (fitting && !fitting.includes(value)) throw bad(`'${name}' is '${fitting.join(`' or '`)}'.`)
    const method = own(methods, name)
    if (method && typeof value[method] !== 'function') {
      const what = method === 'shape' ? `messageTemplate('…')` : `an object with a method '${method}'`
      throw bad(`'${name}' takes ${what}.`)
    }
    if (typeof value === 'number' && !(Number.isFinite(value) && (value > 0 || name === 'messagesPublishedAfter'))) {
      throw bad(`Option '${name}' takes a number above 0, not ${value}.`)
    }
  }
}
