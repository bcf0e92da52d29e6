import { bad, PushStreamError } from '../errors.js'
import type { ClassicProperties } from './properties.js'

function encoded(name: string): string | undefined {
  try {
    return encodeURIComponent(name)
  } catch {
    return undefined
  }
}

/** Throws a `bad-channel` error for a channel that can't be added. */
export function checkChannel(channel: unknown, { channels }: ClassicProperties): void {
  const name = String(channel)
  const refuse = (why: string) => {
    throw new PushStreamError('bad-channel', why, { channel: name })
  }
  if (typeof channel !== 'string' || channel === '' || channel === '__proto__' || encoded(channel) !== channel) {
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
