import { type Gap, type Message, type ModeName, type NchanSettings, nchan, type Options } from '@pushstream/core'
import type { FaultProxy } from '@pushstream/testkit'
import { missingNginx, type Nginx, type NginxOptions, startNginx } from '../../../../e2e/support/nginx.js'
import { lacking } from '../../../../e2e/support/programs.js'
import { publishAtRate } from '../support/numbered.js'
import { cleanup, type Recording, record, startProxy } from './support.js'

/** Why these tests can't run here. */
export const missing = lacking(missingNginx('nchan'))

/** A live Nchan, and a network with faults in front of it. */
export interface Live {
  readonly nginx: Nginx
  readonly proxy: FaultProxy
  /** Publishes past the network; resolves with whether the server said that it took it. */
  publish(channel: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<boolean>
  delete(channel: string): Promise<void>
}

/** `publisher`: where channels are published to. */
export async function startNchan(
  options: NginxOptions = {},
  config = 'nchan',
  publisher = '/pub/{channel}',
): Promise<Live> {
  const nginx = await startNginx(config, options)
  cleanup(() => nginx.close())
  const proxy = await startProxy(nginx.url)
  const urlOf = (channel: string) => nginx.url + publisher.replace('{channel}', encodeURIComponent(channel))
  return {
    nginx,
    proxy,
    async publish(channel, body, headers = {}) {
      // A worker on its way out may never answer: then nobody knows.
      const signal = AbortSignal.timeout(2000)
      try {
        const response = await fetch(urlOf(channel), { method: 'POST', body: body as BodyInit, headers, signal })
        await response.text()
        return response.ok
      } catch {
        return false
      }
    },
    async delete(channel) {
      await fetch(urlOf(channel), { method: 'DELETE' })
    },
  }
}

/** A client of it whose events are recorded. */
export const recordNchan = (
  live: Pick<Live, 'proxy'>,
  modes: readonly ModeName[],
  settings: NchanSettings = {},
  options: Options = {},
): Recording =>
  record({ ...(options.hosts ? {} : { url: live.proxy.url }), modes, protocol: nchan(settings), ...options })

export const numberOf = (message: Pick<Message, 'data'>) => (message.data as { n: number }).n

/** The numbers that the server took, by channel. */
export type Taken = ReadonlyMap<string, readonly number[]>

/** Publishes `{ n }` to channels in turn. */
export async function publishNumbers(
  live: Live,
  channels: readonly string[],
  count: number,
  perSecond: number,
  during: (number: number) => unknown = () => {},
): Promise<Taken> {
  const taken = new Map<string, number[]>(channels.map((channel) => [channel, []]))
  const publish = async (channel: string, n: number) => {
    if (await live.publish(channel, JSON.stringify({ n }))) taken.get(channel)?.push(n)
    await during(n)
  }
  await publishAtRate(publish, channels, count, perSecond)
  return taken
}

/** What is wrong with what came. `lost`: what is missing where no gap was announced. */
export function account({ all, gaps }: Recording, taken: Taken) {
  const result = { lost: [] as string[], doubled: 0, outOfOrder: 0, gaps: gaps.length }
  for (const [channel, numbers] of taken) {
    const missed = new Set(numbers)
    const seen = new Set<number>()
    let last = -1
    let announced = false
    for (const event of all) {
      if (event.channel !== channel) continue
      if ('reason' in event) {
        announced = true
        continue
      }
      const n = numberOf(event as Message)
      if (seen.has(n)) result.doubled++
      seen.add(n)
      missed.delete(n)
      if (n < last) result.outOfOrder++
      for (const before of numbers) {
        if (before <= last || before >= n || !missed.delete(before)) continue
        if (!announced) result.lost.push(`${channel} ${before} between ${last} and ${n}`)
      }
      last = Math.max(last, n)
      announced = false
    }
    if (missed.size > 0)
      result.lost.push(`${channel} ${missed.size} of ${numbers.length} not at all, ${last} was the last`)
  }
  return result
}

/** Waits until the last number of every channel came; what is missing then is for the account to say. */
export const complete = (recording: Recording, taken: Taken): Promise<void> =>
  recording
    .until(
      () =>
        [...taken].every(([channel, numbers]) =>
          recording.messages.some((message) => message.channel === channel && numberOf(message) === numbers.at(-1)),
        ),
      8000,
    )
    .catch(() => {})

export const isGap = (event: Message | Gap): event is Gap => 'reason' in event
