import { bad } from '../errors.js'
import type { Environment, Provider } from '../types.js'

/** What `new PushEventSource` takes beside the address. */
export interface PushEventSourceInit {
  /** Whether cookies go to another origin too. Default false. */
  withCredentials?: boolean
  /** Headers for every request. A function is asked before every request and may be async. */
  headers?: Provider<Record<string, string>>
  /** Go on after this event id. */
  lastEventId?: string
  /**
   * The name of a query argument that carries the last event id, instead of the header `Last-Event-ID`: `lastEventId` for
   * django-eventstream. Servers of another origin have to allow that header by name. Default: the header.
   */
  lastEventIdParameter?: string
  /**
   * How long a connection may be silent, in ms, before it is replaced. Default: where the server sends comments, or events
   * named `keep-alive` or `ping`, two and a half times their interval; else for ever.
   */
  silence?: number
  /** How long to wait for the server's answer, in ms. Default 10000. */
  timeout?: number
  /**
   * The first back-off after a failed attempt, in ms, doubled with every failure and spread at random; and the pause after
   * a connection that brought something and ended within 5 seconds, where the server doesn't say `retry`. Default 1000.
   */
  backoffBase?: number
  /** The longest back-off, in ms. Default 60000. */
  backoffCap?: number
  /** For tests, and for runtimes that lack something: replaces the clock, the random, fetch. */
  environment?: Partial<Environment>
}

/** The longest time that timers know, in ms. */
export const longest = 2 ** 31 - 1

type Check = (value: unknown) => boolean

const ms: [Check, string] = [
  (value) => typeof value === 'number' && value > 0 && value <= longest,
  `a number above 0, of ms, and ${longest} at most`,
]
const any: [Check, string] = [() => true, '']

/** Every option, with what it takes. */
const options: Record<keyof PushEventSourceInit, [Check, string]> = {
  // As in the standard, whatever is true is true.
  withCredentials: any,
  headers: [(value) => typeof value === 'function' || areHeaders(value), 'names and values of headers, or a function'],
  lastEventId: [(value) => typeof value === 'string' && !/[\0\r\n]/.test(value), 'a text of one line'],
  lastEventIdParameter: [(value) => typeof value === 'string' && value !== '', 'the name of a query argument'],
  silence: ms,
  timeout: ms,
  backoffBase: ms,
  backoffCap: ms,
  environment: any,
}

function areHeaders(value: unknown): boolean {
  try {
    new Headers(value as Record<string, string>)
    return typeof value === 'object'
  } catch {
    return false
  }
}

/** Throws a `bad-option` error that says what was meant. */
export function checkInit(init: unknown): asserts init is PushEventSourceInit {
  if (typeof init !== 'object') throw bad('What PushEventSource takes beside the address is an object.')
  for (const [name, value] of Object.entries(init ?? {})) {
    if (!Object.hasOwn(options, name)) {
      throw bad(`PushEventSource has no option '${name}'. There are ${Object.keys(options).join(', ')}.`)
    }
    const [check, what] = options[name as keyof PushEventSourceInit]
    if (value !== undefined && !check(value)) throw bad(`'${name}' takes ${what}.`)
  }
}
