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

/** The error of a name that is no option. */
function unknown(name: string): PushStreamError {
  const lower = name.toLowerCase()
  const find = (table: object, fits: (other: string) => boolean) =>
    Object.keys(table).find((other) => fits(other.toLowerCase()))
  const same = (other: string) => other === lower
  const theirs = find(classic, same)
  if (theirs !== undefined) return classicOnly(theirs)
  const meant = find(types, same) ?? find(types, (other) => other.startsWith(lower.slice(0, 4)))
  return bad(`Unknown option '${name}'.${meant === undefined ? '' : ` Did you mean '${meant}'?`}`)
}

/** Throws a `bad-option` error for an option that is unknown, or not of its type. */
export function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw bad('The options are an object.')
  for (const [name, value] of Object.entries(options)) {
    const allowed = own(types, name)
    if (allowed === undefined) throw unknown(name)
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
