import { bad, PushStreamError } from '../errors.js'
import type { ClassicProperties } from './properties.js'

/** What encodeURIComponent leaves as it is. */
const unreserved = /^[\w.!~*'()-]+$/

/** Throws a `bad-channel` error for a channel that can't be added. */
export function checkChannel(channel: unknown, { channels }: ClassicProperties): void {
  const name = String(channel)
  const refuse = (why: string) => {
    throw new PushStreamError('bad-channel', why, { channel: name })
  }
  if (typeof channel !== 'string' || channel === '__proto__' || !unreserved.test(channel)) {
    refuse(`Invalid channel name! Use only letters, digits and -_.!~*'().`)
  }
  if (Object.hasOwn(channels, name)) refuse(`Cannot add channel ${name}: already subscribed`)
}

/** Throws a `bad-option` error if something is missing to connect. */
export function checkComplete({ host, port, channelsCount }: ClassicProperties): void {
  if (!host) throw bad(`PushStream host not specified: set 'host'.`)
  if (Number.isNaN(Number(port))) throw bad(`PushStream port not specified: set 'port'.`)
  if (!channelsCount) throw bad('No channels specified: call addChannel first.')
}
