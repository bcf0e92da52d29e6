import { type Admitted, corsHeaders } from './admission.js'
import type { Channel } from './channel.js'
import { seconds } from './clock.js'
import { CONTROL_ID, controlMessage, type Message } from './message.js'
import { backlog, type Limit, type Position } from './position.js'
import { type Head, NO_CACHE, type Reply } from './reply.js'
import { messageChunks, Subscriber, type SubscriberContext } from './subscriber.js'

/** Answers a poll at once: everything since the position, or 304 with the position given back. */
export function answerPoll(
  context: SubscriberContext,
  reply: Reply,
  channels: Admitted[],
  position: Position,
  callback: string | null,
): void {
  const limit = newest(channels, position)
  const head = pollingHead(context, limit, callback)
  if (!hasBacklog(channels, position)) {
    reply.headOnly(304, head.headers, { ...head, status: 304 })
    return
  }
  reply.head({ ...head, status: 200 })
  if (context.location.header !== null) reply.write(context.location.header)
  if (callback !== null) for (const part of [callback, '([']) reply.write(Buffer.from(part, 'latin1'))
  let first = true
  for (const { channel, backtrack } of channels) {
    for (const message of backlog(channel, backtrack, position, limit)) {
      const chunks = messageChunks(context, channel.id, message)
      if (callback !== null && !first) chunks.splice(-1, 0, Buffer.from(','))
      for (const chunk of chunks) reply.write(chunk)
      first = false
    }
  }
  if (callback !== null) reply.write(Buffer.from(']);'))
  if (context.location.footer !== null) reply.write(context.location.footer)
  reply.end()
}

/** Whether a long-poll can be answered at once. */
export function hasBacklog(channels: Admitted[], position: Position): boolean {
  return channels.some(({ channel, backtrack }) => backlog(channel, backtrack, position).length > 0)
}

/** The newest (time, tag) of the channels that have something: `Last-Modified` and `Etag` of the answer. */
function newest(channels: Admitted[], position: Position): Limit {
  const limit = { time: Math.max(position.time, 0), tag: position.tag }
  for (const { channel, backtrack } of channels) {
    if (backlog(channel, backtrack, position).length === 0) continue
    if (channel.lastTime > limit.time) {
      limit.time = channel.lastTime
      limit.tag = channel.lastTag
    } else if (channel.lastTime === limit.time && channel.lastTag > limit.tag) {
      limit.tag = channel.lastTag
    }
  }
  return limit
}

type PollingHead = Omit<Head, 'status'>

function pollingHead(context: SubscriberContext, limit: Limit, callback: string | null): PollingHead {
  const { location } = context
  return {
    contentType: callback === null ? location.contentType : 'application/javascript',
    headers: [...corsHeaders(location), ...NO_CACHE],
    ...(limit.time > 0 ? { lastModified: limit.time } : {}),
    ...(limit.tag >= 0 ? { etag: `W/${limit.tag}` } : {}),
  }
}

/** A long-poll that waits: it ends with the first message. */
export class LongPollingSubscriber extends Subscriber {
  readonly #reply: Reply
  readonly #callback: string | null

  constructor(context: SubscriberContext, reply: Reply, callback: string | null) {
    super(context)
    this.#reply = reply
    this.#callback = callback
  }

  start(channels: Admitted[]): void {
    this.#reply.onClose(() => this.leave())
    this.register(this.context.location.settings.longpollingConnectionTtl, null)
    for (const { channel } of channels) this.subscribe(channel)
  }

  receive(channel: Channel, message: Message): void {
    if (!this.silent) this.#answer(channel.id, message, { time: message.time, tag: message.tag })
  }

  channelDeleted(channel: Channel, message: Message): void {
    if (!this.silent) this.#answer(channel.id, message, { time: seconds(this.context.clock), tag: 0 })
  }

  expire(): void {
    if (this.ended) return
    const limit = { time: seconds(this.context.clock), tag: 0 }
    if (this.context.store.settings.timeoutWithBody) {
      this.#answer('', controlMessage(CONTROL_ID.timedOut, Buffer.from('Timed out')), limit)
      return
    }
    this.leave()
    const head = this.#head(limit)
    this.#reply.headOnly(304, head.headers, { ...head, status: 304 })
  }

  abort(): void {
    this.leave()
    this.#reply.abort()
  }

  hangUp(): void {
    this.#reply.hangUp()
  }

  protected ping(): void {}

  #answer(channel: string, message: Message, limit: Limit): void {
    this.leave()
    const { location } = this.context
    this.#reply.head({ ...this.#head(limit), status: 200 })
    const chunks = location.header === null ? [] : [location.header]
    const [text, ...before] = messageChunks(this.context, channel, message).reverse() as [Buffer, ...Buffer[]]
    chunks.push(...before.reverse())
    if (this.#callback === null) chunks.push(text)
    else chunks.push(Buffer.from(this.#callback, 'latin1'), Buffer.from('(['), text, Buffer.from(']);'))
    if (location.footer !== null) chunks.push(location.footer)
    for (const chunk of chunks) this.#reply.write(chunk)
    this.#reply.end()
  }

  #head(limit: Limit): PollingHead {
    const head = pollingHead(this.context, limit, this.#callback)
    const eventsource = this.context.location.mode === 'eventsource' && this.#callback === null
    return eventsource ? { ...head, contentType: 'text/event-stream; charset=utf-8' } : head
  }
}
