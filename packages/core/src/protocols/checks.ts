import { bad } from '../errors.js'
import type { CommonOptions } from '../types.js'

// What a developer gets wrong and sees at once. `checks.production.ts` checks nothing of it.

/** Options that say how nginx-push-stream-module is set up. */
const foreign = /^urlPrefix|^json|Argument$|^messageTemplate$|^text$/

/** Throws a `bad-option` error for an option that the server of this protocol knows nothing of. */
export function refuseForeign(protocol: string, options: CommonOptions = {}): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || !foreign.test(name)) continue
    throw bad(
      `'${name}' is of nginx-push-stream-module: leave it out. What ${protocol} takes stands in its own options.`,
    )
  }
}

/** Throws a `bad-option` error for settings that nchan does not take. */
export function checkNchan({ url, position }: { url: unknown; position: unknown }): void {
  if (typeof url !== 'function' && !(typeof url === 'string' && url.includes('{channel}'))) {
    throw bad(`'url' of nchan takes an address with {channel} in it, or a function.`)
  }
  if (position !== 'query' && position !== 'headers') throw bad(`'position' of nchan is 'query' or 'headers'.`)
}

/** Throws a `bad-option` error for settings that djangoEventStream does not take. */
export function checkDjango({ url, ...others }: { url: unknown } & Record<string, unknown>): void {
  if (typeof url !== 'function' && typeof url !== 'string') {
    throw bad(`'url' of djangoEventStream is an address or a function.`)
  }
  for (const [name, words] of Object.entries(djangoWords)) {
    if (others[name] !== undefined && !words.includes(others[name]))
      throw bad(`'${name}' of djangoEventStream is ${words.map((word) => JSON.stringify(word)).join(' or ')}.`)
  }
  if (others.together && typeof url === 'string' && url.includes('{channel}')) {
    throw bad(`An address with {channel} has room for one: leave out 'together', or give 'url' as a function.`)
  }
}

const djangoWords: Record<string, readonly unknown[]> = {
  channels: ['repeated', 'list', 'route'],
  position: ['query', 'headers'],
  missingIds: ['ask', 'ignore'],
  together: [true, false],
  probe: [true, false],
}

const instead = `leave it out, and give 'lastEventId' what get_current_event_id() was when the page was rendered.`

/** Throws a `bad-option` error for options that django-eventstream has nothing for. */
export function refuseDjango(options: CommonOptions): void {
  refuseForeign('djangoEventStream', options)
  const { messagesPublishedAfter, modes } = options
  if (typeof modes === 'object' && modes.some((mode) => typeof mode === 'object' && mode.opaque)) {
    throw bad(`This protocol needs the pings, which nativeEventSource hides: set modes: [eventsource].`)
  }
  if (messagesPublishedAfter !== undefined) {
    throw bad(`'messagesPublishedAfter' is nothing that django-eventstream has, as its events have no time: ${instead}`)
  }
}

/** Throws a `bad-option` error for a number of stored messages to begin with. */
export function refuseBacktrack(backtrack: number | undefined): void {
  if (backtrack) throw bad(`'backtrack' is nothing that django-eventstream has: ${instead}`)
}
