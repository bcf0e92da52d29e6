import { setTimeout as pause } from 'node:timers/promises'
import type { Browser } from '@playwright/test'
import type { ModeName } from '@pushstream/core'
import { type Account, account, median, recoveries } from './accounting.js'
import type { Fault, FaultName } from './faults.js'
import { Publishing } from './publishing.js'
import { Receiver } from './receiver.js'
import type { Server, ServerName } from './servers.js'

/** One line of the report. */
export interface Row extends Omit<Account, 'evidence'> {
  readonly server: ServerName
  readonly mode: ModeName
  readonly fault: FaultName
  readonly browser: string
  /** From the fault to the first message published since, the median if there were several; `null` where none came. */
  readonly recoverMs: number | null
  /** Workers of the server that crashed meanwhile: all modes of a server and fault share them. */
  readonly crashes: number
}

export interface Outcome {
  readonly rows: readonly Row[]
  /** What is wrong, and all that helps to find out why. */
  readonly violations: readonly string[]
  /** What the server said of workers that crashed. */
  readonly crashes: readonly string[]
}

export interface Volume {
  readonly count: number
  readonly perSecond: number
}

/** How long what was published may take to arrive once the network is well, in ms. */
const patience = 30_000
/** What comes twice, comes soon: this is longer than a client takes to replace a connection once more, in ms. */
const settling = 2500

/** Pages with one mode each receive the same messages from one server, while one fault does what it does. */
export async function measure(
  browser: Browser,
  browserName: string,
  server: Server,
  fault: Fault,
  modes: readonly ModeName[],
  { count, perSecond }: Volume,
): Promise<Outcome> {
  const stage = await server.start(modes)
  const receivers: Receiver[] = []
  try {
    for (const mode of modes) receivers.push(await Receiver.open(browser, mode, stage.address(mode), stage.start(mode)))
    const channels = Object.keys(stage.start(modes[0] as ModeName).channels)
    const publishing = new Publishing(stage, channels, count)
    const moments: number[] = []
    const done = publishing.run(perSecond)
    const running = fault.run({
      stage,
      proxies: Object.values(stage.networks).flat(),
      reached: (share) => publishing.reached(Math.floor(share * count)),
      moment() {
        const now = Date.now()
        moments.push(now)
        return now
      },
      async recovered(moment) {
        while (publishing.since(moment) === undefined) await pause(10)
        const first = publishing.since(moment)!
        await Promise.all(receivers.map((receiver) => receiver.has(first, patience)))
      },
    })
    // A server that takes nothing any more must not leave the fault waiting for it.
    await Promise.race([running, done.then(() => running)])
    publishing.release()
    await done

    const last = channels.map((channel) =>
      publishing.sent.findLast((message) => message.channel === channel && message.taken === 'yes'),
    )
    const complete = async (receiver: Receiver) => {
      for (const message of last) if (message !== undefined) await receiver.has(message, patience)
    }
    await Promise.all(receivers.map(complete))
    await pause(settling)

    const rows: Row[] = []
    const crashes = stage.crashes()
    const violations: string[] = []
    for (const receiver of receivers) {
      const events = await receiver.events()
      const { evidence, ...counts } = account(publishing.sent, events)
      const recoverMs = median(recoveries(moments, publishing.sent, events)) ?? null
      rows.push({
        server: server.name,
        mode: receiver.mode,
        fault: fault.name,
        browser: browserName,
        ...counts,
        recoverMs,
        crashes: crashes.length,
      })
      const troubles = await receiver.troubles()
      if (evidence.length === 0 && troubles.length === 0) continue
      const more = evidence.length > 12 ? [`… and ${evidence.length - 12} more`] : []
      const what = [...evidence.slice(0, 12), ...more, ...troubles, await receiver.state()]
      violations.push(`${server.name} ${receiver.mode} ${fault.name} ${browserName}\n  ${what.join('\n  ')}`)
    }
    return { rows, violations, crashes }
  } catch (cause) {
    const states = await Promise.all(receivers.map(async (one) => `${one.mode} ${await one.state()}`))
    throw new Error([cause, ...states, ...stage.log().slice(-60)].join('\n'), { cause })
  } finally {
    for (const receiver of receivers) await receiver.close()
    await stage.close()
  }
}
