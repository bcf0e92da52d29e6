import { PushStreamError } from '../errors.js'

/** Steps of a path that nginx takes before it looks for a location: such a name would be another channel's. */
export const steps = /^\/|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/

/** Throws a `bad-channel` error that says why. */
export function refuse(channel: unknown, why: string): never {
  const name = String(channel)
  throw new PushStreamError('bad-channel', `A channel name ${why}: ${JSON.stringify(name.slice(0, 80))}`, {
    channel: name,
  })
}

/** Refuses what can be no name on any server. */
export function checkName(channel: unknown): void {
  if (typeof channel !== 'string' || channel === '') refuse(channel, 'is a text of at least one character')
  try {
    encodeURIComponent(channel as string)
  } catch {
    refuse(channel, 'is well-formed Unicode')
  }
}
