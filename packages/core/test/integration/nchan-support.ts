import type { Gap, Message, ModeName, NchanSettings, Options } from '@pushstream/core'
import { nchan } from '@pushstream/core'
import type { FaultProxy } from '@pushstream/testkit'
import { missingNginx, type Nginx, type NginxOptions, startNginx } from '../../../../e2e/support/nginx.js'
import { publishAtRate as atRate } from '../support/numbered.js'
import { cleanup, type Recording, record, startProxy } from './support.js'

/** Why these tests can't run here. In CI that is a failure, and everywhere it is said. */
export const missing = missingNginx('nchan')
if (missing !== undefined) console.error(missing)

/** A live Nchan, and a network with faults in front of it. */
export interface Live {
  readonly nginx: Nginx
  readonly proxy: FaultProxy
  /** Publishes past the network; resolves with whether the server took it. */
  publish(channel: string, body: string | Uint8Array, headers?: Record<string, string>, location?: string): Promise<boolean>
  delete(channel: string): Promise<void>
}

export async function startNchan(options: NginxOptions = {}, config = 'nchan'): Promise<Live> {
  const nginx = await startNginx(config, options)
  cleanup(() => nginx.close())
  const proxy = await startProxy(nginx.url)
  return {
    nginx,
    proxy,
    async publish(channel, body, headers = {}, location = 'pub') {
      const url = `${nginx.url}/${location}/${encodeURIComponent(channel)}`
      const response = await fetch(url, { method: 'POST', body: body as BodyInit, headers }).catch(() => undefined)
      await response?.text()
      return response?.ok ?? false
    },
    async delete(channel) {
      await fetch(`${nginx.url}/pub/${encodeURIComponent(channel)}`, { method: 'DELETE' })
    },
  }
}

/** A client of it whose events are recorded. */
export const recordNchan = (live: Pick<Live, 'proxy'>, modes: readonly ModeName[], options: Options = {}, settings: NchanSettings = {}) =>
  record({ url: live.proxy.url, modes, protocol: nchan(settings), pingtimeout: 5000, ...options })

export const numberOf = (message: Pick<Message, 'data'>) => (message.data as { n: number }).n

/** Publishes `{ n }` to channels in turn. Resolves with the numbers that the server took, by channel. */
export async function publishNumbers(
  live: Live,
  channels: readonly string[],
  count: number,
  perSecond: number,
  during?: (number: number) => unknown,
  location?: string,
): Promise<Map<string, number[]>> {
  const taken = new Map<string, number[]>(channels.map((channel) => [channel, []]))
  await atRate(
    async (channel, n) => {
      if (await live.publish(channel, JSON.stringify({ n }), {}, location)) taken.get(channel)?.push(n)
    },
    channels,
    count,
    perSecond,
    during,
  )
  return taken
}

/** What is wrong with what came, numbers by channel: `lost` counts what is missing where no gap was announced. */
export function account(recording: Recording, taken: ReadonlyMap<string, readonly number[]>) {
  const result = { lost: [] as string[], doubled: 0, outOfOrder: 0, received: 0, gaps: recording.gaps.length }
  for (const [channel, numbers] of taken) {
    const seen = new Set<number>()
    let last = -1
    let gap = false
    let expected = 0
    for (const event of recording.all as (Message | Gap)[]) {
      if (event.channel !== channel) continue
      if ('reason' in event) {
        gap = true
        continue
      }
      const n = numberOf(event)
      result.received++
      if (seen.has(n)) result.doubled++
      else if (n < last) result.outOfOrder++
      seen.add(n)
      last = Math.max(last, n)
      while (expected < numbers.length && (numbers[expected] as number) < n) {
        const missed = numbers[expected] as number
        if (!gap && !seen.has(missed)) result.lost.push(`${channel} ${missed} before ${n}`)
        expected++
      }
      gap = false
    }
    const rest = numbers.filter((n) => n > last)
    for (const n of rest) result.lost.push(`${channel} ${n} at the end`)
  }
  return result
}

/** Waits until the last number of every channel came. */
export const complete = (recording: Recording, taken: ReadonlyMap<string, readonly number[]>, ms?: number) =>
  recording.until(
    () =>
      [...taken].every(([channel, numbers]) =>
        recording.messages.some((message) => message.channel === channel && numberOf(message) === numbers.at(-1)),
      ),
    ms,
  )
