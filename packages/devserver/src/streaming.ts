import { type Admitted, corsHeaders } from './admission.js'
import type { Channel } from './channel.js'
import { CONTROL_ID, controlMessage, type Message } from './message.js'
import { backlog, type Position } from './position.js'
import { NO_CACHE, type Reply } from './reply.js'
import { filling, messageChunks, Subscriber, type SubscriberContext } from './subscriber.js'

const EVENTSOURCE_PING = Buffer.from(': -1\n')

/** A streaming or eventsource subscription. */
export class StreamingSubscriber extends Subscriber {
  readonly #reply: Reply

  constructor(context: SubscriberContext, reply: Reply) {
    super(context)
    this.#reply = reply
  }

  /** Sends the head, the header template and the backlog, and stays. */
  start(channels: Admitted[], position: Position): void {
    const { location } = this.context
    const eventsource = location.mode === 'eventsource'
    this.#reply.onClose(() => this.leave())
    this.#reply.head({
      status: 200,
      contentType: eventsource ? 'text/event-stream; charset=utf-8' : location.contentType,
      headers: [...corsHeaders(location), ...NO_CACHE],
    })
    if (location.header !== null) {
      this.#send([location.header, ...filling(this.context, location.header.length, 'header')])
    }
    this.register(location.settings.subscriberConnectionTtl, location.settings.pingMessageInterval)
    for (const { channel, backtrack } of channels) {
      for (const message of backlog(channel, backtrack, position)) this.#sendMessage(channel.id, message)
      this.subscribe(channel)
    }
  }

  receive(channel: Channel, message: Message): void {
    if (this.silent) return
    this.#sendMessage(channel.id, message)
    this.restPing()
  }

  channelDeleted(channel: Channel, message: Message): void {
    if (this.silent) return
    this.#sendMessage(channel.id, message)
    if (this.subscriptions.size === 0) this.expire()
  }

  expire(): void {
    if (this.ended) return
    this.leave()
    if (this.context.location.footer !== null) this.#send([this.context.location.footer])
    this.#reply.end()
  }

  abort(): void {
    this.leave()
    this.#reply.abort()
  }

  hangUp(): void {
    this.#reply.hangUp()
  }

  protected ping(): void {
    if (this.context.location.mode === 'eventsource') {
      this.#send([EVENTSOURCE_PING])
      return
    }
    const text = Buffer.from(this.context.store.settings.pingMessageText)
    this.#sendMessage('', controlMessage(CONTROL_ID.ping, text))
  }

  #sendMessage(channel: string, message: Message): void {
    const chunks = messageChunks(this.context, channel, message)
    this.#send([...chunks, ...filling(this.context, chunks.at(-1)!.length, 'message')])
  }

  #send(chunks: Buffer[]): void {
    for (const chunk of chunks) this.#reply.write(chunk)
  }
}
