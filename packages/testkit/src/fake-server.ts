import {
  type Carrier,
  type Gap,
  IncomingMessage,
  type ModeName,
  type PoolEvents,
  type PoolStatus,
  positionOf,
  refusalOf,
  type Status,
} from '@pushstream/core/testing'

/** The fields of a message that a {@link FakeClient} emits, in addition to its data. */
export interface EmittedFields<T extends string = string> {
  /** The `Event-Type` it was published with. The body's own `type` counts first. */
  type?: T
  /**
   * Its number on the channel. Default: the next one. A known number is a message that came again, which is dropped. A
   * number that skips some causes a `gap` first.
   */
  id?: number
  /** The `Event-Id` it was published with. */
  eventId?: string
  /** When the server took it. Default: now. */
  time?: Date
  /** Whether it was stored before the connection was opened. Default false. */
  replayed?: boolean
}

/** How a {@link FakeClient} refuses a channel. */
export interface Refusal {
  /** 401: `unauthorized`. 403: `forbidden`. Other statuses: `bad-request`. Default 403. */
  status?: number
  /** Why, in the words of the server. Default: none. */
  explain?: string
}

/** A channel that was added to a {@link FakeClient}. */
export interface AddedChannel<N extends string = string> {
  readonly channel: N
  /** How many stored messages it begins with. */
  readonly backtrack: number
}

/** A text that a {@link FakeClient} published with `sendMessage`. */
export interface SentText {
  readonly channels: readonly string[]
  readonly text: string
}

/** The part of a status that a test may set. */
export type ChangedStatus = { state: Exclude<Status['state'], 'closed'> } & Partial<
  Pick<Status, 'mode' | 'attempt' | 'retryAt' | 'error'>
>

const closed: PoolStatus = { state: 'closed', mode: undefined, attempt: 0, retryAt: undefined, error: undefined }

/** What takes the place of connections to a server. It is open once the code that called `connect` has run. */
export class FakeServer implements Carrier {
  duplicates = 0
  readonly stuck = undefined
  readonly added: AddedChannel[] = []
  readonly sent: SentText[] = []
  readonly #events: PoolEvents
  readonly #names = new Set<string>()
  /** The number of each channel's last message. */
  readonly #ids = new Map<string, number>()
  #mode: ModeName
  #second = 0
  #tag = 0
  #wanted = false
  #open = false
  /** How often it opened. */
  #opened = 0
  /** The state that was reported last. */
  #state: Status['state'] = 'closed'
  /** The status that the test has set. */
  #set: PoolStatus | undefined
  /** Why a channel was refused last, until the client is open again. */
  #refusal: PoolStatus['error']

  constructor(events: PoolEvents, mode: ModeName) {
    this.#events = events
    this.#mode = mode
  }

  get status(): PoolStatus {
    if (!this.#connected) return { ...closed, error: this.#refusal }
    if (this.#open) return { ...closed, state: 'open', mode: this.#mode }
    return this.#set ?? { ...closed, state: 'connecting', error: this.#refusal }
  }

  get channels(): string[] {
    return [...this.#names]
  }

  get groups(): string[][] {
    return this.#names.size > 0 ? [this.channels] : []
  }

  get reconnects(): number {
    return Math.max(0, this.#opened - 1)
  }

  add(channel: string, backtrack: number): boolean {
    if (this.#names.has(channel)) return false
    this.#names.add(channel)
    this.added.push({ channel, backtrack })
    return true
  }

  remove(name: string): boolean {
    return this.#names.delete(name)
  }

  removeAll(): void {
    this.#names.clear()
  }

  connect(): void {
    this.#wanted = true
    this.change()
  }

  change(): void {
    if (!this.#connected) this.#open = false
    this.#changed()
    // A message may come first: it finds the client open.
    queueMicrotask(() => this.#settle())
  }

  disconnect(): void {
    this.#wanted = this.#open = false
    this.#changed()
  }

  send(_: string, text: string): boolean {
    if (this.#open) this.published(this.channels, text)
    return this.#open
  }

  published(channels: readonly string[], text: string): void {
    this.sent.push({ channels, text })
    queueMicrotask(() => {
      for (const channel of channels) this.emit(channel, text, {})
    })
  }

  emit(channel: string, data: unknown, { type, id, eventId, time, replayed = false }: EmittedFields): boolean {
    if (!this.#hears(channel)) return false
    const last = this.#ids.get(channel)
    const number = id ?? (last ?? 0) + 1
    if (last !== undefined && number <= last) {
      this.duplicates++
      return false
    }
    this.#ids.set(channel, number)
    if (last !== undefined && number > last + 1) this.#events.gap(channel, last + 1, number - 1, 'overflow')
    // A listener may have left meanwhile.
    if (!this.#hears(channel)) return false
    const body = typeof data === 'string' ? data : (JSON.stringify(data) ?? '')
    const at = (time ?? new Date()).getTime()
    const second = Math.floor(at / 1000)
    this.#tag = second === this.#second ? this.#tag + 1 : 1
    this.#second = second
    const position = positionOf(at, this.#tag)
    this.#events.deliver(
      new IncomingMessage(number, channel, body, position, this.#tag, eventId, type, this.#mode, replayed),
    )
    return true
  }

  gap(channel: string, { reason = 'overflow', ...ids }: Partial<Omit<Gap, 'channel'>>): boolean {
    if (!this.#hears(channel)) return false
    const { first = (this.#ids.get(channel) ?? 0) + 1 } = ids
    const { last = reason === 'restart' ? 'unknown' : first } = ids
    if (reason === 'restart') this.#ids.set(channel, 0)
    else if (last !== 'unknown') this.#ids.set(channel, last)
    this.#events.gap(channel, first, last, reason)
    return true
  }

  refuse(channel: string, { status = 403, explain }: Refusal): boolean {
    if (!this.#names.delete(channel)) return false
    this.#refusal = refusalOf(channel, { kind: 'status', status }, { action: 'rejected', status, explain }, undefined)
    if (!this.#connected) this.#open = false
    this.#events.refused(this.#refusal)
    this.#changed()
    return true
  }

  delete(channel: string, text: string): boolean {
    if (!this.#hears(channel)) return false
    this.#ids.set(channel, 0)
    this.#events.deleted(channel, text)
    return true
  }

  deadletter(raw: string, reason: string): boolean {
    this.#settle()
    if (this.#open) this.#events.deadletter(raw, reason)
    return this.#open
  }

  become({ state, mode = this.#mode, attempt = state === 'waiting' ? 1 : 0, retryAt, error }: ChangedStatus): void {
    this.#mode = mode
    this.#set = state === 'open' ? undefined : { state, mode: undefined, attempt, retryAt, error }
    if (this.#set !== undefined) this.#open = false
    if (this.#connected && error !== undefined) this.#events.failed(error)
    this.#changed()
    this.#settle()
  }

  /** Whether there is something to connect for. */
  get #connected(): boolean {
    return this.#wanted && this.#names.size > 0
  }

  #hears(channel: string): boolean {
    this.#settle()
    return this.#open && this.#names.has(channel)
  }

  /** Opens, unless the test has set another status. */
  #settle(): void {
    if (this.#connected && this.#state === 'closed') this.#changed()
    if (!this.#connected || this.#open || this.#set !== undefined) return
    this.#open = true
    this.#opened++
    this.#refusal = undefined
    this.#changed()
  }

  #changed(): void {
    const before = this.#state
    this.#state = this.status.state
    this.#events.changed()
    // A listener may have left meanwhile.
    if (this.#open && before !== 'open') this.#events.opened()
  }
}
