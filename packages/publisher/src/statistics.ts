import { pause } from './aborts.js'
import { badOption, PublisherError } from './errors.js'
import type { Answer } from './failures.js'
import type { Sender, SendOptions } from './sender.js'
import type { ChannelStats, Server, ServerStats } from './servers/server.js'

const publisherLocation = 'Is this the publisher’s location?'

/** What a server says of its channels and of itself: asked for, or as the answer to a change. */
export class Statistics {
  readonly #server: Server
  readonly #sender: Sender

  constructor(server: Server, sender: Sender) {
    this.#server = server
    this.#sender = sender
  }

  /** One channel. `undefined`: the server has none of this name. */
  async ofChannel(channel: string, signal: AbortSignal | undefined): Promise<ChannelStats | undefined> {
    this.#server.check(channel)
    const answer = await this.#sender.send(this.#server.info(channel), { ...reading([channel], signal), takes: [404] })
    if (answer.status === 404) {
      this.checkMissing(answer, channel)
      return undefined
    }
    if (this.#server.silent(answer.body) && !this.#server.tells) return undescribed(channel)
    return this.#described(answer, [channel])[0]
  }

  /** All channels whose names begin so. */
  async ofChannels(prefix: string, signal: AbortSignal | undefined): Promise<ChannelStats[]> {
    if (typeof prefix !== 'string') throw badOption(`'prefix' is a text.`)
    const answer = await this.#sender.send(this.#server.list(prefix), { ...reading([], signal), takes: [404] })
    const found = answer.status === 404 && answer.body === '' ? [] : this.#server.channelsOf(answer.body, [])
    return found ?? unexpected(answer, [], `Is this the location of statistics?`)
  }

  /** The server itself. */
  async ofServer(signal: AbortSignal | undefined): Promise<ServerStats> {
    const answer = await this.#sender.send(this.#server.summary(), reading([], signal))
    return this.#server.serverOf(answer.body) ?? unexpected(answer, [], `Is the server's statistics location set?`)
  }

  /**
   * What a server says that took something: it need not say anything. Whatever else is said is not from a push server.
   * In the order of the request.
   */
  ofTaken(answer: Answer, channels: readonly string[]): ChannelStats[] {
    return this.#server.silent(answer.body) ? channels.map(undescribed) : this.#described(answer, channels)
  }

  /** Throws if a 404 is not about a channel: a location that is not there answers with a page. */
  checkMissing(answer: Answer, channel: string): void {
    if (!this.#server.silent(answer.body)) unexpected(answer, [channel], publisherLocation)
  }

  #described(answer: Answer, channels: readonly string[]): ChannelStats[] {
    const found = this.#server.channelsOf(answer.body, channels)
    return channels.map((channel) => {
      const one = found?.find((it) => it.channel === channel)
      return one ?? unexpected(answer, channels, publisherLocation)
    })
  }
}

/** Asks every `interval` ms, until the loop is left or the signal is aborted. */
export async function* repeatedly<T>(
  ask: () => Promise<T>,
  interval: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  // More than that, and timers fire at once.
  if (!(interval >= 0 && interval <= 2 ** 31 - 1)) {
    throw badOption(`'interval' is a number of ms from 0 to ${2 ** 31 - 1}.`)
  }
  while (!signal?.aborted) {
    try {
      yield await ask()
    } catch (error) {
      if (signal?.aborted) return
      throw error
    }
    await pause(interval, signal)
  }
}

const reading = (channels: readonly string[], signal: AbortSignal | undefined): SendOptions => ({
  channels,
  signal,
  changes: false,
  repeatable: true,
})

const undescribed = (channel: string): ChannelStats => ({
  channel,
  published: undefined,
  stored: undefined,
  subscribers: undefined,
  lastMessageId: undefined,
})

function unexpected(answer: Answer, channels: readonly string[], advice: string): never {
  const beginning = JSON.stringify(answer.body.slice(0, 60))
  throw new PublisherError('unexpected', `No such server answers ${answer.status} with ${beginning}. ${advice}`, {
    channels,
    outcome: 'unknown',
    status: answer.status,
  })
}
