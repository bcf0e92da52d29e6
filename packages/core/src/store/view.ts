import { PushStreamError } from '../errors.js'
import type { Channels, ClientEvents, Gap, Status } from '../events.js'
import type { Message } from '../message.js'
import type { Store } from './store.js'

/** What a component can ask for. `D`: what its channels bring. */
export interface ChannelOptions<D> {
  /**
   * How many stored messages to begin with (`.bN` of push_stream_channels_path). Default 0. Where the page has the channel
   * already, they come from what it has kept.
   */
  backtrack?: number
  /** How many of the latest messages to keep in `messages`. Default 0: none. */
  history?: number
  /**
   * Called with every message once, in order, also where the framework shows only the last of a burst. May be another
   * function every time. If it throws, that is an `error` of the client and disturbs nobody.
   */
  onMessage?: (data: D, message: Message<D>) => void
}

/** Shows something of the latest message instead of its data. */
export interface SelectOptions<D, R> extends ChannelOptions<D> {
  /** What to show of the latest message. Where it stays the same (`Object.is`), nothing is shown anew. */
  select: (data: D, message: Message<D>) => R
}

/** Shows what all messages add up to, instead of the latest one's data. */
export interface ReduceOptions<D, S> extends ChannelOptions<D> {
  /** The next state, from the one before and a message. May be another function every time. */
  reduce: (state: S, data: D, message: Message<D>) => S
  /** The state before the first message. */
  initial: S
}

/** All of them, as a view takes them. */
export interface ViewOptions extends ChannelOptions<unknown> {
  select?: (data: unknown, message: Message) => unknown
  reduce?: (state: unknown, data: unknown, message: Message) => unknown
  initial?: unknown
}

/** What a component shows. The same object until something of it changes. */
export interface ChannelState<T, D = unknown> {
  /** The data of the latest message, or what `select` or `reduce` makes of it. */
  readonly data: T
  /** The latest messages, oldest first: as many as `history` asks for. */
  readonly messages: readonly Message<D>[]
  /** How the connection is. `closed` also where nothing is subscribed: no channel, a refused one, on a server. */
  readonly status: Status['state']
  /** Why a channel was refused, or what trouble the connection has. */
  readonly error: PushStreamError | undefined
  /** The latest gap: messages that can't be had any more. */
  readonly gap: Gap | undefined
}

/** One channel, several, or none at all for the moment. */
export type ChannelName<N extends string = string> = N | readonly N[] | null | undefined | false

/** Stands for every channel of the client, wherever it was added. Subscribes to none. */
export const every = '*'

/** The names, each once and in a fixed order: what is the same set is the same text. */
export function keyOf(channel: ChannelName): string {
  const names = typeof channel === 'string' ? [channel] : channel || []
  return JSON.stringify([...new Set(names)].sort())
}

const none: readonly Message[] = []

/**
 * What one component sees of some channels. It begins with its first listener. When the last one has left it goes on for
 * the time of grace, so that who comes back has missed nothing, and ends then.
 */
export interface View {
  readonly store: Store
  /** The names, as {@link keyOf} has them. */
  readonly key: string
  /** What is asked for now. To be set when it is certain, not while a framework renders. */
  options: ViewOptions
  /** Calls back whenever the state may have changed. Returns what ends that. */
  subscribe(changed: () => void): () => void
  /** A function that tells the state, read by this `select`. It gives the same object as long as nothing changes. */
  reader(select?: ViewOptions['select']): () => ChannelState<unknown>
  /** The state before everything: of a server, and of a page until it is alive. */
  readonly idle: () => ChannelState<unknown>
  /** Another view for other channels, that takes over what both have in common when it begins. Changes nothing itself. */
  next(store: Store, key: string, options: ViewOptions): View
}

/** What goes from one view to its successor. */
interface State {
  latest: Message | undefined
  data: unknown
  messages: readonly Message[]
  gap: Gap | undefined
  /** Came while nobody listened. */
  waiting: Message[]
}

/** A view, and what its successor needs of it. */
interface Inner extends View {
  readonly names: readonly string[]
  state(): State
}

/** Makes a view: pure, nothing begins before it has a listener. */
export function createView(store: Store, key: string, options: ViewOptions, before?: Inner): View {
  const { client } = store
  const names: readonly string[] = JSON.parse(key)
  const all = names.includes(every)
  const wanted = all ? [] : names
  const concerns = (channel: string | undefined) => all || names.includes(channel as string)

  const listeners = new Set<() => void>()
  /** Names that the client doesn't take. */
  const problems = new Map<string, PushStreamError>()
  let state: State | undefined
  let version = 0
  let ends: (() => void)[] = []
  /** Takes the ending back that is due. */
  let stay: (() => void) | undefined

  const errorOf = (name: string) => problems.get(name) ?? store.errorOf(name)

  /** What a predecessor leaves for the channels that stay, or what the page knows of them. */
  const first = (): State => {
    const { initial: data } = view.options
    if (before?.store !== store || !before.names.some(concerns)) {
      const latest = wanted.flatMap((name) => store.recentOf(name)).at(-1)
      return { latest, data, messages: none, gap: undefined, waiting: [] }
    }
    const state = before.state()
    const own = <T extends { channel: string }>(one: T | undefined) => (concerns(one?.channel) ? one : undefined)
    const kept = state.messages.filter(own)
    return {
      latest: own(state.latest) ?? kept.at(-1),
      data: state.data,
      messages: kept.length === state.messages.length ? state.messages : kept,
      gap: own(state.gap),
      waiting: state.waiting.filter(own),
    }
  }

  function changed(): void {
    version++
    for (const listener of [...listeners]) listener()
  }

  function take(message: Message): void {
    if (state === undefined || !concerns(message.channel)) return
    const { reduce, history = 0, onMessage } = view.options
    state.latest = message
    if (history > 0) state.messages = [...state.messages, message].slice(-history)
    try {
      if (reduce !== undefined) state.data = reduce(state.data, message.data, message)
    } finally {
      changed()
      if (listeners.size > 0) onMessage?.(message.data, message)
      else state.waiting.push(message)
    }
  }

  /** A bad name, or a client that is closed, must not take the page down: it is told like any other refusal. */
  function attempt(act: () => void, channels: readonly string[]): void {
    try {
      act()
    } catch (error) {
      if (!(error instanceof PushStreamError)) throw error
      for (const name of channels) problems.set(name, error)
    }
  }

  function listen<K extends 'message' | 'gap' | 'status' | 'error'>(event: K, listener: Listener<K>): void {
    client.on(event, listener)
    ends.push(() => client.off(event, listener))
  }

  function begin(): void {
    const { backtrack = 0 } = view.options
    const had = before?.store === store ? before.names : []
    state = first()
    before = undefined
    const known: Message[] = []
    for (const name of wanted) {
      attempt(() => {
        const { recent, end } = store.use(name, backtrack)
        ends.push(end)
        if (backtrack > 0 && !had.includes(name)) known.push(...recent.slice(-backtrack))
      }, [name])
    }
    attempt(() => {
      if (names.length === 0) return
      listen('message', take)
      listen('gap', (gap) => {
        if (state === undefined || !concerns(gap.channel)) return
        state.gap = gap
        changed()
      })
      listen('status', changed)
      listen('error', changed)
    }, names)
    changed()
    for (const message of known) guarded(() => take(message))
  }

  function end(): void {
    const all = ends
    ends = []
    stay = undefined
    state = undefined
    for (const one of all) one()
  }

  const view: Inner = {
    store,
    key,
    names,
    options,
    state: () => state ?? first(),
    subscribe(listener) {
      listeners.add(listener)
      stay?.()
      stay = undefined
      if (state === undefined) begin()
      // What came while nobody listened, before anything newer.
      const waiting = state?.waiting.splice(0) ?? []
      for (const message of waiting) guarded(() => view.options.onMessage?.(message.data, message))
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) stay ??= store.later(end)
      }
    },
    reader(select) {
      let at = -1
      let last: ChannelState<unknown> = idle
      return () => {
        if (at === version) return last
        const { latest, data: reduced, messages, gap } = view.state()
        const selected = () => latest && (select ? select(latest.data, latest) : latest.data)
        const data = view.options.reduce === undefined ? selected() : reduced
        const errors = wanted.map(errorOf)
        const subscribed = all || errors.includes(undefined)
        const error = errors.find((one) => one !== undefined) ?? (subscribed ? client.status.error : undefined)
        const now = { data, messages, status: subscribed ? client.status.state : 'closed', error, gap }
        if (fields.some((field) => !Object.is(now[field], last[field]))) last = now
        at = version
        return last
      }
    },
    idle: () => idle,
    next: (store, key, options) => createView(store, key, options, view),
  }
  const idle: ChannelState<unknown> = {
    data: options.initial,
    messages: none,
    status: 'closed',
    error: undefined,
    gap: undefined,
  }
  return view
}

type Listener<K extends keyof ClientEvents<Channels>> = (event: ClientEvents<Channels>[K]) => void

const fields = [
  'data',
  'messages',
  'status',
  'error',
  'gap',
] as const satisfies readonly (keyof ChannelState<unknown>)[]

/** Calls what belongs to the application, where no client stands around it to tell of what it throws. */
function guarded(call: () => void): void {
  try {
    call()
  } catch (cause) {
    queueMicrotask(() => {
      throw cause
    })
  }
}

/** An `onMessage` for the messages of a type; `'*'` stands for any. */
export function ofType<D>(
  type: string,
  process: (data: D, message: Message<D>) => void,
): (data: D, message: Message<D>) => void {
  return (data, message) => {
    if (type === every || message.type === type) process(data, message)
  }
}
