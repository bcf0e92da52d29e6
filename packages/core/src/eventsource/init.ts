import { bad } from '../errors.js'
import type { Environment, Provider } from '../types.js'

/**
 * The options of `new PushEventSource`.
 *
 * @example
 * ```ts
 * import { PushEventSource } from '@pushstream/core'
 *
 * const events = new PushEventSource('https://api.example.org/events/?channel=user-42', {
 *   headers: () => ({ Authorization: `Bearer ${localStorage.getItem('token')}` }),
 *   lastEventIdParameter: 'lastEventId', // for django-eventstream
 * })
 * ```
 */
export interface PushEventSourceInit {
  /** Whether cookies go to another origin too. Default false. */
  withCredentials?: boolean
  /** Headers for every request. A function is called before every request and may be async. */
  headers?: Provider<Record<string, string>>
  /** Continue after this event id. */
  lastEventId?: string
  /**
   * The name of a query argument that carries the last event id, instead of the header `Last-Event-ID`: `lastEventId`
   * for django-eventstream. Another origin must allow that header by name. Default: the header.
   */
  lastEventIdParameter?: string
  /**
   * How long a connection may be silent, in ms, before it is replaced. Default: two and a half times the interval of
   * the server's comments, or of its events named `keep-alive` or `ping`. Without these, it may be silent forever.
   */
  silence?: number
  /** How long to wait for the server's answer, in ms. Default 10000. */
  timeout?: number
  /**
   * The first back-off after a failed attempt, in ms. It doubles with every failure and is spread at random. It is also
   * the pause after a connection that delivered something and ended within 5 seconds, unless the server sent `retry`.
   * Default 1000.
   */
  backoffBase?: number
  /** The longest back-off, in ms. Default 60000. */
  backoffCap?: number
  /** For tests, and for runtimes that lack something: replaces the clock, random numbers and `fetch`. */
  environment?: Partial<Environment>
}

/** The longest time of a timer, in ms. */
export const longest = 2 ** 31 - 1

type Check = (value: unknown) => boolean

const ms: [Check, string] = [
  (value) => typeof value === 'number' && value > 0 && value <= longest,
  `a number of ms above 0, at most ${longest}`,
]
const any: [Check, string] = [() => true, '']

/** Every option, with its check and its description. */
const options: Record<keyof PushEventSourceInit, [Check, string]> = {
  // As in the standard, any truthy value is true.
  withCredentials: any,
  headers: [(value) => typeof value === 'function' || areHeaders(value), 'an object of headers, or a function'],
  lastEventId: [(value) => typeof value === 'string' && !/[\0\r\n]/.test(value), 'a string without line breaks'],
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

/** Throws a `bad-option` error that names the option. */
export function checkInit(init: unknown): asserts init is PushEventSourceInit {
  if (typeof init !== 'object') throw bad('The options of PushEventSource must be an object.')
  for (const [name, value] of Object.entries(init ?? {})) {
    if (!Object.hasOwn(options, name)) {
      throw bad(`PushEventSource has no option '${name}'. Its options are ${Object.keys(options).join(', ')}.`)
    }
    const [check, what] = options[name as keyof PushEventSourceInit]
    if (value !== undefined && !check(value)) throw bad(`'${name}' takes ${what}.`)
  }
}
