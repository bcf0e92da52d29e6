import type { Memory } from './platform.js'
import type { Environment, Page } from './types.js'

/** Listens, and returns what ends it. */
function listen(...all: (readonly [target: EventTarget, type: string, callback: (event: never) => unknown])[]) {
  for (const [target, type, callback] of all) target.addEventListener(type, callback as EventListener)
  return () => {
    for (const [target, type, callback] of all) target.removeEventListener(type, callback as EventListener)
  }
}

function browserPage(): Page | undefined {
  if (typeof window === 'undefined' || typeof window.addEventListener !== 'function') return undefined
  return {
    get prerendering() {
      return (document as { prerendering?: boolean }).prerendering
    },
    onBack(callback) {
      return listen(
        [window, 'online', callback],
        // So it does the first time, too.
        [window, 'pageshow', () => callback()],
        [document, 'visibilitychange', () => document.visibilityState === 'visible' && callback()],
        [document, 'resume', callback],
        [document, 'prerenderingchange', callback],
      )
    },
    onBlocked(callback) {
      const blocked = ({ effectiveDirective, disposition, blockedURI }: SecurityPolicyViolationEvent) => {
        if (effectiveDirective === 'connect-src' && disposition === 'enforce') callback(blockedURI)
      }
      return listen([document, 'securitypolicyviolation', blocked])
    },
    onLeave(callback) {
      return listen([window, 'pagehide', callback], [document, 'freeze', callback])
    },
  }
}

function sessionMemory(): Memory | undefined {
  try {
    return typeof sessionStorage === 'undefined' ? undefined : sessionStorage
  } catch {
    // A page without storage access (sandboxed frame, blocked cookies) does without the memory.
    return undefined
  }
}

/** What the application threw goes where errors go that nobody catches, and ends nothing. */
export const reportError = (cause: unknown): void => (globalThis.reportError ?? console.error)(cause)

/** Calls back when a signal is aborted, at once if it is already. Returns a function that takes the callback back. */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal?.aborted) callback()
  else signal?.addEventListener('abort', callback)
  return () => signal?.removeEventListener('abort', callback)
}

/** The world as it is where this runs. Read when a client is made, never at import. */
export function defaultEnvironment(): Environment {
  return {
    now: () => Date.now(),
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
    random: () => Math.random(),
    fetch: (input, init) => fetch(input, init),
    WebSocket: globalThis.WebSocket,
    EventSource: globalThis.EventSource,
    location: typeof location === 'undefined' ? undefined : location,
    page: browserPage(),
    memory: sessionMemory(),
  }
}
