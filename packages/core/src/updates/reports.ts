import { Emitter } from '../emitter.js'
import { bad, PushStreamError } from '../errors.js'
import type { UpdatesEvents } from './types.js'

export type Kind = keyof UpdatesEvents

export const kinds: readonly Kind[] = ['error', 'gap', 'deadletter', 'channeldeleted']

const shortened = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}…` : text)

/** What an event without a listener says on the console. */
const warnings: { [K in Kind]?: (event: UpdatesEvents[K]) => unknown[] } = {
  error: (error) => (error.cause === undefined ? [error.message] : [error.message, error.cause]),
  gap: ({ channel, reason }) => [`Updates of '${channel}' are lost, or may be (${reason}).`],
  deadletter: ({ channel, reason, raw }) => [
    `An update of '${channel ?? '?'}' is dropped, ${reason}: ${shortened(raw)}`,
  ],
}

function warn(values: readonly unknown[] | undefined): void {
  if (values !== undefined) globalThis.console?.warn(...values)
}

/** Hands events to the page's listeners, or to the console. */
export interface Reports {
  on<K extends Kind>(kind: K, listener: (event: UpdatesEvents[K]) => void): () => void
  /** `quiet`: no warning if no one listens. */
  emit<K extends Kind>(kind: K, event: UpdatesEvents[K], quiet?: boolean): void
  clear(): void
}

export function createReports(): Reports {
  const listeners = new Emitter<{ [K in Kind]: UpdatesEvents[K] }>((kind, cause) => {
    // A listener of errors that throws would be told of its own error for ever.
    if (kind === 'error') warn(['A listener of errors threw.', cause])
    else emit('error', new PushStreamError('listener', `A listener of '${kind}' threw.`, { cause }))
  })
  const emit: Reports['emit'] = (kind, event, quiet) => {
    const silent = quiet || listeners.heard(kind)
    listeners.emit(kind, event)
    if (!silent) warn(warnings[kind]?.(event))
  }
  return {
    emit,
    on(kind, listener) {
      if (!kinds.includes(kind)) throw bad(`There is no event '${String(kind)}'. There are ${kinds.join(', ')}.`)
      if (typeof listener !== 'function') throw bad('A listener is a function.')
      // A function that is added twice is called twice.
      const mine: typeof listener = (event) => listener(event)
      listeners.on(kind, mine)
      return () => listeners.off(kind, mine)
    },
    clear: () => listeners.clear(),
  }
}
