/** What the page tells a connection about itself. */
export interface Page {
  /** Calls back when the network or the page comes back (online, visible, restored from the back/forward cache). */
  onBack(callback: () => void): () => void
  /** Calls back when the page is left. It may come back from the back/forward cache. */
  onLeave(callback: () => void): () => void
}

/** The part of `Storage` that is used to remember which mode worked. */
export type Memory = Pick<Storage, 'getItem' | 'setItem'>

/**
 * Everything a connection takes from the world around it. The browser's own by default; tests inject a clock and a
 * seeded random, and a runtime without a global WebSocket (Node 20) injects one.
 */
export interface Environment {
  /** Wall clock in ms since 1970. */
  now(): number
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
  /** Uniform in [0, 1). All jitter comes from here. */
  random(): number
  fetch: typeof fetch
  WebSocket: typeof WebSocket | undefined
  EventSource: typeof EventSource | undefined
  /** Where relative addresses belong to: the page's own, if there is a page. */
  location: { protocol: string; hostname: string; port: string } | undefined
  /**
   * How many requests to a server of this origin may stay open at once. Browsers allow six over HTTP/1.1, and some are
   * the page's.
   */
  connections(origin: string): number
  page: Page | undefined
  memory: Memory | undefined
}

function browserPage(): Page | undefined {
  if (typeof window === 'undefined' || typeof window.addEventListener !== 'function') return undefined
  return {
    onBack(callback) {
      const visible = () => {
        if (document.visibilityState === 'visible') callback()
      }
      window.addEventListener('online', callback)
      window.addEventListener('pageshow', callback)
      document.addEventListener('visibilitychange', visible)
      return () => {
        window.removeEventListener('online', callback)
        window.removeEventListener('pageshow', callback)
        document.removeEventListener('visibilitychange', visible)
      }
    },
    onLeave(callback) {
      window.addEventListener('pagehide', callback)
      return () => window.removeEventListener('pagehide', callback)
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

/** Over HTTP/2 the browser's limit is far away; what the page has loaded from there tells which it is. */
function connections(origin: string): number {
  if (typeof document === 'undefined') return Number.POSITIVE_INFINITY
  const entries = performance.getEntries() as PerformanceResourceTiming[]
  const multiplexed = entries.some(
    ({ name, nextHopProtocol }) => /^h[23]/.test(nextHopProtocol ?? '') && name.startsWith(`${origin}/`),
  )
  return multiplexed ? 90 : 4
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
    connections,
    page: browserPage(),
    memory: sessionMemory(),
  }
}
