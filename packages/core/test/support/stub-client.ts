import type { ErrorCode, Gap, Message, PushStream, Status } from '@pushstream/core'
import { PushStreamError } from '@pushstream/core'

/**
 * Stands for a client where a test says itself what comes: it does what `PushStream` promises to those who listen, and
 * writes down what it is asked for.
 */
export class StubClient {
  /** What it was asked for, in order: `+a.b5`, `-a`, `connect`, `disconnect`. */
  readonly calls: string[] = []
  /** What listeners threw. */
  readonly thrown: unknown[] = []
  #status: Status = {
    state: 'closed',
    mode: undefined,
    attempt: 0,
    retryAt: undefined,
    error: undefined,
    since: 7,
    resume: 'position',
    gaps: 'exact',
  }
  readonly #listeners = new Map<string, Set<(event: never) => void>>()
  readonly #channels = new Map<string, number>()
  #closed = false

  get status(): Status {
    return this.#status
  }

  set status(status: Status) {
    this.#status = status
  }

  /** As what takes a client. */
  get client(): PushStream {
    return this as unknown as PushStream
  }

  get channels(): string[] {
    return [...this.#channels.keys()]
  }

  /** How many listeners there are. */
  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0)
  }

  on(event: string, listener: (event: never) => void): this {
    this.#alive()
    const all = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, all.add(listener))
    return this
  }

  off(event: string, listener: (event: never) => void): this {
    this.#listeners.get(event)?.delete(listener)
    return this
  }

  addChannel(name: string, { backtrack = 0 } = {}): this {
    this.#alive()
    if (name.includes('/')) throw new PushStreamError('bad-channel', `No: ${name}`, { channel: name })
    this.calls.push(`+${name}${backtrack ? `.b${backtrack}` : ''}`)
    this.#channels.set(name, 0)
    return this
  }

  removeChannel(name: string): this {
    this.calls.push(`-${name}`)
    this.#channels.delete(name)
    return this
  }

  connect(): this {
    this.#alive()
    this.calls.push('connect')
    this.become({ state: 'open', mode: 'websocket' })
    return this
  }

  disconnect(): this {
    this.calls.push('disconnect')
    this.become({ state: 'closed', mode: undefined })
    return this
  }

  close(): void {
    this.become({ state: 'closed', mode: undefined })
    this.#closed = true
    this.#listeners.clear()
  }

  /** A message comes, if its channel is subscribed. */
  publish(channel: string, data: unknown, more: Partial<Message> = {}): void {
    const known = this.#channels.get(channel)
    if (known === undefined) return
    this.#channels.set(channel, known + 1)
    const type = (data as { type?: string } | undefined)?.type
    this.emit('message', { channel, id: known + 1, data, text: JSON.stringify(data), type, ...more } as Message)
  }

  become(change: Partial<Status>): void {
    this.status = { ...this.status, ...change }
    this.emit('status', this.status)
  }

  gap(channel: string): void {
    this.emit('gap', { channel, first: 1, last: 2, reason: 'overflow' } satisfies Gap)
  }

  /** The server refuses a channel. */
  refuse(channel: string, code: ErrorCode = 'forbidden'): void {
    this.#channels.delete(channel)
    this.emit('error', new PushStreamError(code, 'refused', { channel }))
  }

  emit(event: string, value: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(value as never)
      } catch (error) {
        this.thrown.push(error)
      }
    }
  }

  #alive(): void {
    if (this.#closed) throw new PushStreamError('closed', 'closed')
  }
}
