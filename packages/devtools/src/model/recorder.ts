import type { DeadLetter, Gap, Message, PushStreamError } from '@pushstream/core'
import { type InspectedRequest, type Inspection, type InspectListeners, inspect } from '@pushstream/core/inspect'
import type { AnyClient } from '../options.js'
import { History, idsOf, missing } from './history.js'
import { Lateness, type SentAt, sentAtOf } from './lateness.js'
import { Recent } from './recent.js'

const longest = 2000
const prefix = /^pushstream: /
/** A line of the log that says why a connection ended, and not what the client does now. */
const ending = /: channels \d+, messages \d+; /

/** Something that came. */
export interface Entry {
  readonly kind: 'message' | 'gap' | 'deadletter' | 'deleted' | 'error'
  /** When it came, in ms since 1970. */
  readonly at: number
  readonly channel: string
  readonly id: string
  readonly type: string
  readonly text: string
  /** When the server took it. */
  readonly time: number | undefined
  readonly mode: string
  readonly replayed: boolean
}

/** A line of the client's log. */
export interface Step {
  readonly at: number
  readonly kind: 'step' | 'error'
  readonly text: string
}

/** Records what a client does, from when it is attached until it is detached. Everything is bounded. */
export class Recorder {
  readonly history: History
  readonly lateness = new Lateness()
  readonly entries = new Recent<Entry>(1000)
  readonly steps = new Recent<Step>(500)
  readonly requests = new Recent<InspectedRequest>(200)
  /** Changes whenever a request does. */
  requested = 0
  client: AnyClient | undefined
  inspection: Inspection | undefined
  /** Tells when a message was sent. */
  sentAt: SentAt | undefined
  readonly #now: () => number
  readonly #changed: () => void

  /** `changed` is called at every change, however often they come. */
  constructor(changed: () => void, now: () => number = Date.now) {
    this.#changed = changed
    this.#now = now
    this.history = new History(now)
  }

  /** @throws PushStreamError `closed` if the client is closed. */
  attach(client: AnyClient): void {
    this.detach()
    const heard: InspectListeners = {
      message: (message) => this.#message(message),
      status: (status) => this.history.status(status),
      open: ({ mode }) => this.history.opened(mode),
      gap: (gap) => this.#gap(gap),
      deadletter: (letter) => this.#deadletter(letter),
      channeldeleted: ({ channel, text }) => this.#note('deleted', channel, 'deleted', text),
      error: (error) => this.#error(error),
    }
    const on = Object.fromEntries(
      Object.entries(heard).map(([kind, listener]) => [kind, this.#told(listener as Heard)]),
    )
    // First of all, so that what comes at once is known to be of this client.
    this.history.begin(client.status)
    this.lateness.begin(this.#now())
    this.inspection = inspect(client, {
      on,
      log: this.#told((line: string) => this.#line(line.replace(prefix, ''))),
      request: this.#told((request: InspectedRequest) => this.#request(request)),
    })
    this.client = client
    this.#changed()
  }

  /** Leaves the client as it was. What was recorded stays. */
  detach(): void {
    if (this.client === undefined) return
    this.inspection?.stop()
    this.history.end()
    this.client = this.inspection = undefined
    this.#changed()
  }

  /** The same listener, after which everybody knows that something has changed. */
  #told<T>(listener: (event: T) => void): (event: T) => void {
    return (event) => {
      listener(event)
      this.#changed()
    }
  }

  #line(text: string): void {
    this.steps.add({ at: this.#now(), kind: 'step', text })
    if (ending.test(text)) this.history.because(text)
  }

  #request(request: InspectedRequest): void {
    // The newest are at the end.
    if (!this.requests.items.includes(request)) this.requests.add(request)
    this.requested++
  }

  #message(message: Message): void {
    const { channel, id, mode, replayed, text, time, type = '' } = message
    this.history.message()
    this.lateness.add(message, this.#now(), (one) => (this.sentAt ?? sentAtOf)(one))
    const note = { id: id === undefined ? '' : String(id), mode, replayed, time: time?.getTime() }
    this.#note('message', channel, type, text, note)
  }

  #gap(gap: Gap): void {
    this.history.gap(gap)
    this.#note('gap', gap.channel, 'gap', missing(gap), { id: idsOf(gap) })
  }

  #deadletter({ channel, raw, reason }: DeadLetter): void {
    this.#note('deadletter', channel, 'deadletter', `${reason}: ${raw}`)
  }

  #error({ channel, code, message, mode }: PushStreamError): void {
    this.steps.add({ at: this.#now(), kind: 'error', text: message })
    // Nothing ends such a connection but the client.
    if (code === 'silent') this.history.because(message)
    this.#note('error', channel, code, message, { mode: mode ?? '' })
  }

  #note(
    kind: Entry['kind'],
    channel: string | undefined,
    type: string,
    text: string,
    more: Partial<Pick<Entry, 'id' | 'mode' | 'replayed' | 'time'>> = {},
  ): void {
    const whole = { id: '', mode: '', replayed: false, time: undefined, ...more }
    this.entries.add({ kind, at: this.#now(), channel: channel ?? '', type, text: cut(text), ...whole })
  }
}

type Heard = (event: unknown) => void

/** The beginning of a long text. A copy: a part of a string keeps all of it in memory. */
const cut = (text: string): string =>
  text.length > longest
    ? (JSON.parse(JSON.stringify(`${text.slice(0, longest)} … (${text.length} characters)`)) as string)
    : text
