import type { ManualClock } from '@pushstream/testkit'
import {
  type Gap,
  type Message,
  type Options,
  PushStream,
  type PushStreamError,
  type Status,
} from '../../../src/index.js'
import { share } from '../../../src/share/index.js'
import type { Environment } from '../../../src/types.js'

interface Waiting {
  readonly tab: Tab
  readonly grant: () => void
}

interface Held {
  readonly tab: Tab
  end(): void
  steal(): void
}

/** Web Locks as a browser keeps them for its tabs: exclusive, in order, gone with the tab. */
class Locks {
  readonly #held = new Map<string, Held>()
  readonly #queue = new Map<string, Waiting[]>()

  holder(): Tab | undefined {
    return [...this.#held.values()][0]?.tab
  }

  /** How many locks were asked for. */
  get names(): number {
    return this.#queue.size
  }

  request(tab: Tab, name: string, options: LockOptions, callback: () => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const queue = this.#queue.get(name) ?? []
      this.#queue.set(name, queue)
      const grant = () => {
        const held: Held = {
          tab,
          end: () => {
            if (this.#held.get(name) !== held) return
            this.#held.delete(name)
            this.#next(name)
          },
          steal: () => tab.run(() => reject(new DOMException('stolen', 'AbortError'))),
        }
        this.#held.set(name, held)
        tab.run(() => {
          const ended = () => {
            held.end()
            resolve(undefined)
          }
          void Promise.resolve(callback()).then(ended)
        })
      }
      if (options.steal) {
        this.#held.get(name)?.steal()
        grant()
        return
      }
      const waiting = { tab, grant }
      queue.push(waiting)
      options.signal?.addEventListener('abort', () => {
        const at = queue.indexOf(waiting)
        if (at < 0) return
        queue.splice(at, 1)
        reject(options.signal?.reason)
      })
      queueMicrotask(() => this.#next(name))
    })
  }

  gone(tab: Tab): void {
    for (const queue of this.#queue.values()) {
      for (const one of queue.filter((waiting) => waiting.tab === tab)) queue.splice(queue.indexOf(one), 1)
    }
    for (const held of [...this.#held.values()]) if (held.tab === tab) held.end()
  }

  #next(name: string): void {
    if (!this.#held.has(name)) this.#queue.get(name)?.shift()?.grant()
  }
}

interface Posted {
  readonly to: Port
  readonly from: Tab
  lost: boolean
}

/** One end of a BroadcastChannel. */
interface Port {
  readonly tab: Tab
  readonly name: string
  onmessage: ((event: { data: unknown }) => void) | null
}

/** A browser with tabs of one origin, on a manual clock. */
export class Browser {
  readonly tabs: Tab[] = []
  readonly locks = new Locks()
  readonly ports = new Set<Port>()
  readonly #posted = new Set<Posted>()
  readonly clock: ManualClock
  readonly environment: Partial<Environment>
  /** How long a broadcast takes, in ms. */
  delay: () => number = () => 1
  /** Broadcasts that are to be lost. */
  losing: ((to: Tab, data: readonly unknown[]) => boolean) | undefined

  constructor(clock: ManualClock, environment: Partial<Environment>) {
    this.clock = clock
    this.environment = environment
  }

  open(options: Options = {}, key?: string): Tab {
    const tab = new Tab(this, options, key)
    this.tabs.push(tab)
    return tab
  }

  post(from: Port, data: unknown): void {
    for (const to of this.ports) {
      if (to === from || to.name !== from.name) continue
      const copy = structuredClone(data) as readonly unknown[]
      const posted: Posted = { to, from: from.tab, lost: this.losing?.(to.tab, copy) ?? false }
      this.#posted.add(posted)
      // In the order in which they were posted, however long one takes.
      const due = Math.max(this.clock.now() + this.delay(), to.tab.nextAt)
      to.tab.nextAt = due
      this.clock.setTimeout(() => {
        this.#posted.delete(posted)
        if (!posted.lost) to.tab.run(() => this.ports.has(to) && to.onmessage?.({ data: copy }))
      }, due - this.clock.now())
    }
  }

  /** Of what a tab posted last, each other tab gets as much as `kept` says, from 0 to 1. */
  forget(tab: Tab, kept: () => number): void {
    for (const other of this.tabs) {
      const own = [...this.#posted].filter(({ from, to }) => from === tab && to.tab === other)
      for (const posted of own.slice(Math.floor(own.length * kept()))) posted.lost = true
    }
  }
}

/** A tab with a client. */
export class Tab {
  readonly stream: PushStream
  readonly all: (Pick<Message, 'channel' | 'id' | 'text'> | Gap)[] = []
  readonly states: Status['state'][] = []
  readonly errors: PushStreamError[] = []
  readonly deleted: string[] = []
  opened = 0
  gone = false
  prerendering = false
  nextAt = 0
  readonly #browser: Browser
  #hangs: Promise<void> | undefined
  #wake: (() => void) | undefined
  readonly #tasks: (() => unknown)[] = []
  readonly #leaving = new Set<() => void>()
  readonly #back = new Set<(online?: unknown) => void>()
  readonly #requests = new Set<AbortController>()

  constructor(browser: Browser, options: Options, key: string | undefined) {
    this.#browser = browser
    const { environment, ...others } = options
    const stream = new PushStream({
      url: 'http://h',
      modes: ['eventsource'],
      share: share(key === undefined ? {} : { key }),
      ...others,
      environment: { ...browser.environment, ...this.#environment(), ...environment },
    })
    this.stream = stream
    const record = (what: () => unknown) => this.gone || what()
    stream.on('message', ({ channel, id, text }) => record(() => this.all.push({ channel, id, text })))
    stream.on('gap', (gap) => record(() => this.all.push(gap)))
    stream.on('status', ({ state }) => record(() => this.states.push(state)))
    stream.on('error', (error) => record(() => this.errors.push(error)))
    stream.on('channeldeleted', ({ channel }) => record(() => this.deleted.push(channel)))
    stream.on('open', () => record(() => this.opened++))
  }

  /** The texts that came, by channel if one is given. */
  texts(channel?: string): string[] {
    return this.all.flatMap((one) =>
      'text' in one && (channel === undefined || one.channel === channel) ? [one.text] : [],
    )
  }

  get gaps(): Gap[] {
    return this.all.filter((one): one is Gap => 'reason' in one)
  }

  get connections(): number {
    return [...this.#requests].filter(({ signal }) => !signal.aborted).length
  }

  get hangs(): boolean {
    return this.#hangs !== undefined
  }

  /** Runs a task of the tab, once it runs. */
  run(task: () => unknown): void {
    if (this.gone) return
    if (this.#hangs) this.#tasks.push(task)
    else task()
  }

  /** Its process ends. */
  crash(): void {
    this.gone = true
    this.#browser.locks.gone(this)
    for (const port of this.#browser.ports) if (port.tab === this) this.#browser.ports.delete(port)
    this.cut()
  }

  /** Its connections break. */
  cut(): void {
    for (const request of this.#requests) request.abort()
    this.#requests.clear()
  }

  /** The tab is closed. */
  close(): void {
    for (const leave of this.#leaving) leave()
    this.crash()
  }

  /** Nothing runs any more, and no event says so. */
  hang(): void {
    this.#hangs ??= new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  wake(): void {
    const wake = this.#wake
    this.#hangs = this.#wake = undefined
    wake?.()
    for (const task of this.#tasks.splice(0)) task()
  }

  freeze(): void {
    for (const leave of [...this.#leaving]) leave()
    this.hang()
  }

  resume(): void {
    this.wake()
    this.shown()
  }

  shown(online?: 'online'): void {
    for (const back of [...this.#back]) back(online)
  }

  #environment(): Partial<Environment> {
    const browser = this.#browser
    const { clock } = browser
    const tab = this
    const listen = (set: Set<() => void>) => (callback: () => void) => {
      set.add(callback)
      return () => set.delete(callback)
    }
    class Channel implements Port {
      onmessage: Port['onmessage'] = null
      readonly tab = tab
      constructor(readonly name: string) {
        browser.ports.add(this)
      }
      postMessage(data: unknown): void {
        if (!tab.gone) browser.post(this, data)
      }
      close(): void {
        browser.ports.delete(this)
      }
    }
    return {
      setTimeout: (callback, ms) => {
        const timer = { id: clock.setTimeout(() => tab.run(() => timer.id && callback()), ms) }
        return timer
      },
      // One that is due, while the tab hangs, as well.
      clearTimeout: (timer) => {
        if (timer === undefined) return
        const set = timer as { id: number }
        clock.clearTimeout(set.id)
        set.id = 0
      },
      page: {
        onLeave: listen(this.#leaving),
        onBack: listen(this.#back),
        get prerendering() {
          return tab.prerendering
        },
      },
      locks: {
        request: ((name: string, ...given: [LockOptions, () => unknown] | [() => unknown]) => {
          const [options, callback] = given.length === 1 ? [{}, given[0]] : given
          return browser.locks.request(tab, name, options, callback)
        }) as LockManager['request'],
      },
      BroadcastChannel: Channel as unknown as typeof BroadcastChannel,
      fetch: (input, init) => this.#fetch(input, init),
    }
  }

  async #fetch(input: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> {
    const request = new AbortController()
    const end = () => {
      this.#requests.delete(request)
      request.abort(init.signal?.reason)
    }
    this.#requests.add(request)
    init.signal?.addEventListener('abort', end)
    try {
      const response = await (this.#browser.environment.fetch as typeof fetch)(input, {
        ...init,
        signal: request.signal,
      })
      await this.#hangs
      const reader = response.body?.getReader()
      if (reader === undefined) {
        this.#requests.delete(request)
        return response
      }
      const body = new ReadableStream({
        pull: async (controller) => {
          const { done, value } = await reader.read()
          while (this.#hangs) await this.#hangs
          if (!done) return controller.enqueue(value)
          this.#requests.delete(request)
          controller.close()
        },
        cancel: (reason) => reader.cancel(reason),
      })
      return new Response(body, response)
    } catch (error) {
      this.#requests.delete(request)
      await this.#hangs
      throw error
    }
  }
}
