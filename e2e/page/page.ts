import {
  Client as Composed,
  type DjangoEventStreamSettings,
  djangoEventStream,
  eventsource,
  type Gap,
  longpolling,
  type Message,
  messageTemplate,
  type NchanSettings,
  nativeEventSource,
  nativeWebSocket,
  nchan,
  type Options,
  PushStream,
  type Stats,
  type Status,
  stream,
  websocket,
} from '@pushstream/core'
import { persist } from '@pushstream/core/persist'
import { type ShareOptions, share } from '@pushstream/core/share'

/** A message as a test reads it. */
export interface Seen extends Pick<Message, 'channel' | 'id' | 'text' | 'type' | 'eventId' | 'mode' | 'replayed'> {
  readonly data: unknown
}

/** What a client told so far. */
export interface Recording {
  readonly status: Status
  readonly stats: Stats
  readonly messages: readonly Seen[]
  readonly gaps: readonly Gap[]
  /** Messages (by id) and gaps in the order they came. */
  readonly all: readonly (Pick<Seen, 'channel' | 'id'> | Gap)[]
  readonly errors: readonly { code: string; message: string }[]
  readonly deadletters: readonly string[]
  /** The states it went through, with the mode when open. */
  readonly states: readonly string[]
  /** What processors got, as `name data`. */
  readonly routed: readonly string[]
  /** From `connect` to the first message, in ms. */
  readonly firstAfter: number | undefined
}

const transports = { websocket, nativeWebSocket, eventsource, nativeEventSource, stream, longpolling }

/** What a test asks of the page. All of it can be sent as JSON. */
export interface Start {
  readonly options?: Omit<Options, 'messagesPublishedAfter' | 'messageTemplate' | 'protocol' | 'persist' | 'share'> & {
    messagesPublishedAfter?: number
    messageTemplate?: string
  }
  /** Composes a client of these transports. Default: a client of all of them, and the `modes` of the options. */
  readonly transports?: readonly (keyof typeof transports)[]
  /** Instead of the push stream module's. */
  readonly protocol?:
    | ({ readonly name: 'nchan' } & Omit<NchanSettings, 'url'> & { readonly url?: string })
    | ({ readonly name: 'django' } & Omit<DjangoEventStreamSettings, 'url'> & { readonly url?: string })
  /** Keeps positions there, and beside them what the application got, under a key for each page load. */
  readonly persist?: 'session' | 'local'
  /** Shares one connection with other tabs. */
  readonly share?: ShareOptions
  /** Names, with how many stored messages to begin with. */
  readonly channels: Readonly<Record<string, number>>
  /** Channel and type of processors to register; `*` is any. */
  readonly processors?: readonly (readonly [string, string])[]
}

/** Texts longer than this are told by their length and both ends. */
const longest = 10_000

const shortened = (text: string) =>
  text.length > longest ? `${text.slice(0, 8)}…${text.length}…${text.slice(-8)}` : text

class Client {
  readonly stream: PushStream
  readonly #messages: Seen[] = []
  readonly #gaps: Gap[] = []
  readonly #all: (Pick<Seen, 'channel' | 'id'> | Gap)[] = []
  readonly #errors: { code: string; message: string }[] = []
  readonly #deadletters: string[] = []
  readonly #states: string[] = []
  readonly #routed: string[] = []
  readonly #began = performance.now()
  #firstAfter: number | undefined

  constructor(start: Start) {
    const {
      options = {},
      transports: composed,
      protocol,
      persist: kept,
      share: sharing,
      channels,
      processors = [],
    } = start
    const { messagesPublishedAfter, messageTemplate: template, ...given } = options
    const rest: Options = { ...given }
    if (sharing !== undefined) rest.share = share(sharing)
    if (template !== undefined) rest.messageTemplate = messageTemplate(template)
    if (protocol?.name === 'nchan') {
      const { name: _, ...settings } = protocol
      rest.protocol = nchan(settings)
    } else if (protocol?.name === 'django') {
      const { name: _, ...settings } = protocol
      rest.protocol = djangoEventStream(settings)
    }
    if (kept) rest.persist = persist(kept)
    if (messagesPublishedAfter !== undefined) rest.messagesPublishedAfter = new Date(messagesPublishedAfter)
    const stream = composed
      ? new Composed({ ...rest, modes: composed.map((name) => transports[name]) })
      : new PushStream(rest)
    this.stream = stream
    stream.on('message', (message) => {
      this.#firstAfter ??= performance.now() - this.#began
      const { channel, id, text, type, eventId, mode, replayed, data } = message
      const short = shortened(text)
      this.#messages.push({ channel, id, text: short, type, eventId, mode, replayed, data: short === text ? data : '' })
      this.#all.push({ channel, id })
    })
    stream.on('gap', (gap) => {
      this.#gaps.push(gap)
      this.#all.push(gap)
    })
    stream.on('error', ({ code, message }) => this.#errors.push({ code, message }))
    stream.on('deadletter', ({ reason, raw }) => this.#deadletters.push(`${reason}: ${raw.slice(0, 200)}`))
    stream.on('status', ({ state, mode }) => this.#states.push(mode ?? state))
    if (kept) this.#keep(kept === 'local' ? localStorage : sessionStorage)
    for (const [channel, type] of processors) {
      stream.registerProcessor(channel, type, (data) => this.#routed.push(`${channel}/${type} ${JSON.stringify(data)}`))
    }
    for (const [name, backtrack] of Object.entries(channels)) stream.addChannel(name, { backtrack })
    stream.connect()
  }

  /** As an application that keeps its state: in the task that brings a message. */
  #keep(storage: Storage): void {
    let part = 0
    let seen: string[] = []
    const write = (what: string) => {
      seen.push(what)
      storage.setItem(`seen ${performance.timeOrigin} ${part}`, JSON.stringify(seen))
      // What is written for each message stays small.
      if (seen.length < 50) return
      part++
      seen = []
    }
    this.stream.on('message', ({ channel, id }) => write(`${channel} ${id}`))
    this.stream.on('gap', ({ channel, first, last }) => write(`${channel} gap ${first}-${last}`))
  }

  get recording(): Recording {
    return {
      status: { ...this.stream.status, error: undefined },
      stats: this.stream.stats,
      messages: this.#messages,
      gaps: this.#gaps,
      all: this.#all,
      errors: this.#errors,
      deadletters: this.#deadletters,
      states: this.#states,
      routed: this.#routed,
      firstAfter: this.#firstAfter,
    }
  }
}

let connections = 0
const { fetch, WebSocket } = window
// A test asks which page has a connection.
window.fetch = async (input, init) => {
  connections++
  try {
    const response = await fetch(input, init)
    if (response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
      connections++
      init?.signal?.addEventListener('abort', () => connections--)
    }
    return response
  } finally {
    connections--
  }
}
window.WebSocket = class extends WebSocket {
  constructor(...how: ConstructorParameters<typeof WebSocket>) {
    super(...how)
    connections++
    this.addEventListener('close', () => connections--)
  }
}

/** Counts what a client tells instead of keeping it, for what runs long. */
class Counter {
  readonly #stream: PushStream
  readonly #last = new Map<string, number>()
  readonly counted = { received: 0, gaps: 0, faults: [] as string[] }

  constructor(options: Options, channels: readonly string[]) {
    const { counted } = this
    this.#stream = new PushStream({ ...options, share: share() })
    this.#stream.on('message', ({ channel, id }) => {
      const before = this.#last.get(channel)
      counted.received++
      if (before !== undefined && id !== before + 1) counted.faults.push(`${channel}: ${id} after ${before}`)
      this.#last.set(channel, id as number)
    })
    this.#stream.on('gap', ({ channel, last }) => {
      counted.gaps++
      // The next one counts from there.
      if (last === 'unknown') this.#last.delete(channel)
      else this.#last.set(channel, last)
    })
    for (const name of channels) this.#stream.addChannel(name)
    this.#stream.connect()
  }

  /** The last id of each channel that it wants, 0 as long as nothing came. */
  get last(): Record<string, number> {
    return Object.fromEntries(this.#stream.channels.map((name) => [name, this.#last.get(name) ?? 0]))
  }

  change(name: string): void {
    if (!this.#stream.channels.includes(name)) this.#stream.addChannel(name)
    else {
      this.#stream.removeChannel(name)
      this.#last.delete(name)
    }
  }
}

let counter: Counter | undefined

const page = {
  PushStream,
  /** Starts a client that shares its connection, and counts what it tells. */
  count(options: Options, channels: readonly string[]) {
    counter = new Counter(options, channels)
  },
  counted: () => ({ ...counter!.counted, last: counter!.last }),
  /** Adds a channel, or removes it if it is there. */
  change: (name: string) => counter!.change(name),
  /** Whether the page has a connection: between two long-polls it has none. */
  leads: () => connections > 0,
  client: undefined as Client | undefined,
  start(start: Start) {
    page.client = new Client(start)
  },
}

declare global {
  interface Window {
    /** What the tests work with. */
    e2e: typeof page
  }
}

window.e2e = page

// A page that begins by itself, as pages do: `/?start={…}`.
const asked = new URLSearchParams(location.search).get('start')
if (asked !== null) page.start(JSON.parse(asked) as Start)
