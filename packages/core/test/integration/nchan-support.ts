import { type Gap, type Message, type ModeName, type NchanSettings, nchan, type Options } from '@pushstream/core'
import type { FaultProxy } from '@pushstream/testkit'
import { type Account, account as accountOf, type Event, type Sent } from '../../../../e2e/matrix/accounting.js'
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
): Recording => record({ url: live.proxy.url, modes, protocol: nchan(settings), ...options })

export const numberOf = (message: Pick<Message, 'data'>) => (message.data as { n: number }).n

/** Publishes `{ n }` to channels in turn, the first being `first`. Resolves with what the server took, or may have taken. */
export async function publishNumbers(
  live: Live,
  channels: readonly string[],
  count: number,
  perSecond: number,
  during: (number: number) => unknown = () => {},
  first = 0,
): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  const publish = async (channel: string, index: number) => {
    const n = first + index
    const from = Date.now()
    const taken = await live.publish(channel, JSON.stringify({ n }))
    sent.push({ channel, n, from, taken: taken ? 'yes' : 'unknown' })
    await during(n)
  }
  await publishAtRate(publish, channels, count, perSecond)
  return sent
}

/** What became of what was sent. */
export function account({ all }: Recording, sent: readonly Sent[]): Pick<Account, keyof typeof perfect> {
  const events = all.map((event): Event => {
    const { channel } = event
    return isGap(event)
      ? { kind: 'gap', channel, first: event.first, last: event.last, reason: event.reason, at: 0 }
      : { kind: 'message', channel, n: numberOf(event), at: 0 }
  })
  const { lostWithoutGap, doubled, outOfOrder, gaps, evidence } = accountOf(sent, events)
  return { lostWithoutGap, doubled, outOfOrder, gaps, evidence }
}

/** The account when all is well. */
export const perfect = { lostWithoutGap: 0, doubled: 0, outOfOrder: 0, gaps: 0, evidence: [] as readonly string[] }

/**
 * How long a client may bring nothing before its test goes on without the rest, in ms. What is kept may keep a worker after
 * a reload, which delivers nothing: that is found out after `pingtimeout`, 30 s, if a cut hides the reload.
 */
const hanging = 42_000
/** The time for a test in which that may happen, in ms. */
export const patient = { testTimeout: 120_000 }

/**
 * Waits until the last message of every channel came, as long as the client brings anything: long-polls bring a message an
 * answer, and a busy machine may take its time for each. What is missing then is for the account to say.
 */
export async function complete(recording: Recording, sent: readonly Sent[]): Promise<void> {
  const last = new Map(sent.filter(({ taken }) => taken === 'yes').map(({ channel, n }) => [channel, n]))
  const came = () =>
    [...last].every(([channel, n]) =>
      recording.messages.some((message) => message.channel === channel && numberOf(message) === n),
    )
  // What is known and comes again is progress, too.
  const brought = () => recording.all.length + recording.stream.stats.duplicates
  for (let before = -1; before < brought() && !came(); ) {
    before = brought()
    await recording.until(() => brought() > before, hanging).catch(() => {})
  }
}

export const isGap = (event: Message | Gap): event is Gap => 'reason' in event
