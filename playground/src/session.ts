import { type Message, type ModeName, PushStream, type Status } from '@pushstream/core'
import { Emitter } from './emitter.js'

/** What a client is made with, and can't be changed in one that exists. */
export interface SessionSettings {
  readonly url: string
  readonly modes: readonly ModeName[]
  /** Silence after which a connection is checked, in ms. */
  readonly silence: number
}

export interface SessionEvents {
  message: Message
  status: Status
  /** Another client, which has not connected yet. */
  client: PushStream
  /** A channel that the page's address names badly. */
  problem: Error
  /** Other channels are subscribed now. */
  channels: undefined
  /** Another server, other modes: a new client. */
  settings: SessionSettings
}

/** The client that the page plays with: one at a time, replaced when the settings change. */
export class Session extends Emitter<SessionEvents> {
  /** Whether the application wants to be connected. */
  wanted = false
  #settings: SessionSettings
  #stream: PushStream | undefined
  readonly #channels: Map<string, number>

  constructor(settings: SessionSettings, channels: ReadonlyMap<string, number>) {
    super()
    this.#settings = settings
    this.#channels = new Map(channels)
  }

  get settings(): SessionSettings {
    return this.#settings
  }

  /** The server's address in full, without a slash at the end. */
  get base(): string {
    const { url } = this.#settings
    const full = URL.canParse(url, location.origin) ? new URL(url, location.origin).href : url
    return full.replace(/^ws/, 'http').replace(/\/+$/, '')
  }

  get status(): Status | undefined {
    return this.#stream?.status
  }

  /** The channels with their backtrack. */
  get channels(): ReadonlyMap<string, number> {
    return this.#channels
  }

  /** Throws what the client throws at bad settings. */
  connect(): void {
    this.#stream ??= this.#make()
    this.wanted = true
    this.#stream.connect()
  }

  disconnect(): void {
    this.wanted = false
    this.#stream?.disconnect()
  }

  /** Takes other settings, at once if connected. Throws what the client throws at bad ones, and keeps the old then. */
  configure(change: Partial<SessionSettings>): void {
    const before = this.#settings
    this.#settings = { ...before, ...change }
    let next: PushStream
    try {
      next = this.#make()
    } catch (error) {
      this.#settings = before
      throw error
    }
    this.#stream?.close()
    this.#stream = next
    this.emit('settings', this.#settings)
    this.emit('status', next.status)
    if (this.wanted) next.connect()
  }

  /** Throws what the client throws at a bad name. */
  add(name: string, backtrack: number): void {
    this.#stream ??= this.#make()
    this.#stream.addChannel(name, { backtrack })
    if (!this.#channels.has(name)) this.#channels.set(name, backtrack)
    this.emit('channels', undefined)
  }

  remove(name: string): void {
    this.#stream?.removeChannel(name)
    this.#channels.delete(name)
    this.emit('channels', undefined)
  }

  #make(): PushStream {
    const { modes, silence } = this.#settings
    const stream = new PushStream({
      url: this.base,
      modes,
      pingtimeout: silence,
      timeout: 5000,
      // Who chooses an order here wants to see it tried, whatever worked better a minute ago.
      environment: { memory: undefined },
    })
    this.emit('client', stream)
    stream.on('message', (message) => this.emit('message', message))
    stream.on('status', (status) => this.emit('status', status))
    // The devtools show them.
    stream.on('deadletter', () => {})
    stream.on('error', ({ code, channel }) => {
      // A refused channel is given up by the client, so it leaves the list too.
      const refused = code === 'forbidden' || code === 'unauthorized' || code === 'bad-request'
      if (refused && channel !== undefined && this.#channels.delete(channel)) this.emit('channels', undefined)
    })
    for (const [name, backtrack] of this.#channels) this.#addOrDrop(stream, name, backtrack)
    return stream
  }

  /** A bad name in the page's address must not keep the others from working. */
  #addOrDrop(stream: PushStream, name: string, backtrack: number): void {
    try {
      stream.addChannel(name, { backtrack })
    } catch (error) {
      this.#channels.delete(name)
      this.emit('problem', error as Error)
      this.emit('channels', undefined)
    }
  }
}
