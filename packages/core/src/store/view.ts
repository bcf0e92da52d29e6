import { hears } from '../emitter.js'
import { PushStreamError } from '../errors.js'
import type { Channels, ClientEvents } from '../events.js'
import type { Message } from '../message.js'
import type { Store } from './store.js'
import type { ChannelState, ViewOptions } from './view-options.js'
import { inherited, newState, none, type ViewState } from './view-state.js'

/** One channel, several, or none for now. */
export type ChannelName<N extends string = string> = N | readonly N[] | null | undefined | false

/** Stands for every channel of the client, wherever it was added. It does not subscribe. */
const every = '*'

/**
 * The names as text, unique and sorted: equal sets have equal keys.
 *
 * @example
 * ```ts
 * import { keyOf } from '@pushstream/core/store'
 *
 * keyOf(['user-42', 'news']) === keyOf(['news', 'user-42', 'news']) // true
 * keyOf(null) // '[]'
 * ```
 */
export function keyOf(channel: ChannelName): string {
  const names = typeof channel === 'string' ? [channel] : channel || []
  return JSON.stringify([...new Set(names)].sort())
}

/**
 * What one component sees of some channels. It starts with its first listener. After the last one has left, it goes on
 * for the grace period, so that a component that comes back has missed nothing. Then it ends.
 */
export interface View {
  readonly store: Store
  /** The names, as {@link keyOf} returns them. */
  readonly key: string
  /** The current options. Set them when a render is committed, not while a framework renders. */
  options: ViewOptions
  /** Calls back whenever the state may have changed. Returns a function that stops it. */
  subscribe(changed: () => void): () => void
  /** Returns a function that reads the state through `select`. It returns the same object until something changes. */
  reader(select?: ViewOptions['select']): () => ChannelState<unknown>
  /** The state on a server, and in a page until it is hydrated. */
  readonly idle: () => ChannelState<unknown>
  /**
   * A view for other channels. When it starts, it takes over the state of the common ones. Until then nothing changes.
   */
  next(store: Store, key: string, options: ViewOptions): View
}

/**
 * Creates a view. It has no effect until it has a listener.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { createView, keyOf, storeOf } from '@pushstream/core/store'
 *
 * const view = createView(storeOf(new PushStream()), keyOf('user-42'), { backtrack: 1 })
 * const read = view.reader()
 * const leave = view.subscribe(() => console.log(read().data))
 * ```
 */
export const createView = (store: Store, key: string, options: ViewOptions): View =>
  new ChannelView(store, key, options, undefined)

class ChannelView implements View {
  readonly store: Store
  readonly key: string
  options: ViewOptions
  readonly #names: readonly string[]
  readonly #all: boolean
  /** The names to subscribe to. */
  readonly #wanted: readonly string[]
  readonly #idle: ChannelState<unknown>
  readonly #listeners = new Set<() => void>()
  /** Names that the client rejects. */
  readonly #problems = new Map<string, PushStreamError>()
  #before: ChannelView | undefined
  #state: ViewState | undefined
  #version = 0
  #ends: (() => void)[] = []
  /** Cancels the end that is due. */
  #stay: (() => void) | undefined

  constructor(store: Store, key: string, options: ViewOptions, before: ChannelView | undefined) {
    this.store = store
    this.key = key
    this.options = options
    this.#names = JSON.parse(key)
    this.#all = this.#names.includes(every)
    this.#wanted = this.#all ? [] : this.#names
    this.#idle = { data: options.initial, messages: none, status: 'closed', error: undefined, gap: undefined }
    this.#before = before
  }

  // Arrow functions, because frameworks call these two without the view.
  readonly idle = () => this.#idle
  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    this.#stay?.()
    this.#stay = undefined
    if (this.#state === undefined) this.#begin()
    // Deliver what arrived without a listener before anything newer.
    const waiting = this.#state?.waiting.splice(0) ?? []
    for (const message of waiting) guarded(() => this.options.onMessage?.(message.data, message))
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#stay ??= this.store.later(() => this.#end())
    }
  }

  reader(select?: ViewOptions['select']): () => ChannelState<unknown> {
    let at = -1
    let last = this.#idle
    return () => {
      if (at === this.#version) return last
      const now = this.#read(select)
      if (fields.some((field) => !Object.is(now[field], last[field]))) last = now
      at = this.#version
      return last
    }
  }

  next(store: Store, key: string, options: ViewOptions): View {
    return new ChannelView(store, key, options, this)
  }

  #read(select: ViewOptions['select']): ChannelState<unknown> {
    const { status } = this.store.client
    const { latest, data: reduced, messages, gap } = this.#state ?? this.#first()
    const selected = () => latest && (select ? select(latest.data, latest) : latest.data)
    const data = this.options.reduce === undefined ? selected() : reduced
    const errors = this.#wanted.map((name) => this.#problems.get(name) ?? this.store.errorOf(name))
    const subscribed = this.#all || errors.includes(undefined)
    const error = errors.find((one) => one !== undefined) ?? (subscribed ? status.error : undefined)
    return { data, messages, status: subscribed ? status.state : 'closed', error, gap }
  }

  /** The first state: the predecessor's for common channels, or else the latest message that the page has kept. */
  #first(): ViewState {
    const before = this.#before
    if (before?.store === this.store && before.#names.some(this.#concerns)) {
      return inherited(before.#state ?? before.#first(), this.#concerns)
    }
    const latest = this.#wanted.flatMap((name) => this.store.recentOf(name)).at(-1)
    return newState(latest, this.options.initial)
  }

  readonly #concerns = (channel: string | undefined) => this.#all || this.#names.includes(channel as string)

  #begin(): void {
    const { backtrack = 0 } = this.options
    const had = this.#before?.store === this.store ? this.#before.#names : []
    this.#state = this.#first()
    this.#before = undefined
    const known: Message[] = []
    for (const name of this.#wanted) {
      this.#attempt(() => {
        const { recent, end } = this.store.use(name, backtrack)
        this.#ends.push(end)
        if (backtrack > 0 && !had.includes(name)) known.push(...recent.slice(-backtrack))
      }, [name])
    }
    this.#attempt(() => {
      if (this.#names.length === 0) return
      this.#listen('message', (message) => this.#take(message))
      this.#listen('gap', (gap) => {
        if (this.#state === undefined || !this.#concerns(gap.channel)) return
        this.#state.gap = gap
        this.#changed()
      })
      this.#listen('status', () => this.#changed())
      const failed = () => this.#changed()
      hears.set(failed, () => false)
      this.#listen('error', failed)
    }, this.#names)
    this.#changed()
    for (const message of known) guarded(() => this.#take(message))
  }

  #end(): void {
    const all = this.#ends
    this.#ends = []
    this.#stay = undefined
    this.#state = undefined
    for (const one of all) one()
  }

  #take(message: Message): void {
    const state = this.#state
    if (state === undefined || !this.#concerns(message.channel)) return
    const { reduce, history = 0, onMessage } = this.options
    state.latest = message
    if (history > 0) state.messages = [...state.messages, message].slice(-history)
    try {
      if (reduce !== undefined) state.data = reduce(state.data, message.data, message)
    } finally {
      this.#changed()
      if (this.#listeners.size > 0) onMessage?.(message.data, message)
      else state.waiting.push(message)
    }
  }

  #changed(): void {
    this.#version++
    for (const listener of [...this.#listeners]) listener()
  }

  /** A bad name or a closed client must not crash the page: it is reported as the error of these channels. */
  #attempt(act: () => void, channels: readonly string[]): void {
    try {
      act()
    } catch (error) {
      if (!(error instanceof PushStreamError)) throw error
      for (const name of channels) this.#problems.set(name, error)
    }
  }

  #listen<K extends 'message' | 'gap' | 'status' | 'error'>(event: K, listener: Listener<K>): void {
    const { client } = this.store
    client.on(event, listener)
    this.#ends.push(() => client.off(event, listener))
  }
}

type Listener<K extends keyof ClientEvents<Channels>> = (event: ClientEvents<Channels>[K]) => void

const fields = [
  'data',
  'messages',
  'status',
  'error',
  'gap',
] as const satisfies readonly (keyof ChannelState<unknown>)[]

/** Calls the application outside of a client's event. What it throws is reported as an uncaught error. */
function guarded(call: () => void): void {
  try {
    call()
  } catch (cause) {
    queueMicrotask(() => {
      throw cause
    })
  }
}

/**
 * An `onMessage` for messages of one type; `'*'` is any.
 *
 * @example
 * ```ts
 * import { ofType, type ViewOptions } from '@pushstream/core/store'
 *
 * const options: ViewOptions = { onMessage: ofType('answer', (data) => console.log(data)) }
 * ```
 */
export function ofType<D>(
  type: string,
  process: (data: D, message: Message<D>) => void,
): (data: D, message: Message<D>) => void {
  return (data, message) => {
    if (type === every || message.type === type) process(data, message)
  }
}
