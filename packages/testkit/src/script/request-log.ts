import { matcherOf, type RequestPattern } from './pattern.js'
import type { ScriptedRequest } from './request.js'

interface Waiter {
  matches: (request: ScriptedRequest) => boolean
  take: (request: ScriptedRequest) => void
  fail: (error: Error) => void
}

/** Records requests and returns each once. */
export class RequestLog {
  /** All requests, oldest first. */
  readonly all: ScriptedRequest[] = []
  #fresh: ScriptedRequest[] = []
  #waiters = new Set<Waiter>()

  add(request: ScriptedRequest): void {
    this.all.push(request)
    for (const waiter of this.#waiters) {
      if (!waiter.matches(request)) continue
      this.#waiters.delete(waiter)
      waiter.take(request)
      return
    }
    this.#fresh.push(request)
  }

  next(pattern: RequestPattern, timeout: number): Promise<ScriptedRequest> {
    const matches = matcherOf(pattern)
    const index = this.#fresh.findIndex(matches)
    if (index >= 0) return Promise.resolve(this.#fresh.splice(index, 1)[0]!)
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        matches,
        take: (request) => {
          clearTimeout(timer)
          resolve(request)
        },
        fail: (error) => {
          clearTimeout(timer)
          this.#waiters.delete(waiter)
          reject(error)
        },
      }
      // The machine's time, not an injected clock: this must end a test even if its clock stands still.
      const timer = setTimeout(() => waiter.fail(this.#late(pattern, timeout)), timeout)
      this.#waiters.add(waiter)
    })
  }

  /** No more requests will come. */
  close(): void {
    for (const { fail } of [...this.#waiters]) fail(new Error('The scripted server was closed while a test waited.'))
  }

  #late(pattern: RequestPattern, timeout: number): Error {
    const wanted = typeof pattern === 'function' ? 'a request that the filter takes' : `a request for ${pattern}`
    const seen = this.all.map(({ method, url }) => `\n  ${method} ${url}`).join('') || ' none'
    return new Error(`no ${wanted.slice(2)} within ${timeout} ms. Requests so far:${seen}`)
  }
}
