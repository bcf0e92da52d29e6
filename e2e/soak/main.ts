import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from '../../packages/devserver/src/clock.js'
import { missingNginx } from '../support/nginx.js'
import { punctual, type Result, Stage } from './stage.js'
import { tabs } from './tabs.js'

export interface Choice {
  readonly what: string
  readonly workers: readonly number[]
  readonly runs: number
  readonly minutes: number
  readonly seed: number
}

/** Publishes so many messages at a rate; a server that is away is not made up for by a burst. */
async function flow(stage: Stage, count: number, perSecond: number, during: (n: number) => void = () => {}) {
  let due = Date.now()
  for (let n = 0; n < count; n++) {
    if (due > Date.now()) await pause(due - Date.now())
    due = Math.max(due, Date.now() - 50) + 1000 / perSecond
    await stage.publish()
    during(n)
  }
}

/** Every connection is cut each 300 ms, and the server reloads twice. */
async function chaos(workers: number): Promise<Result[]> {
  const stage = await Stage.start(workers, ['a', 'b'])
  try {
    const stops = stage.proxies.map((proxy) => proxy.cutEvery(300))
    const reloads: Promise<void>[] = []
    await stage.trouble('cuts and reloads', async () => {
      await flow(stage, 600, 120, (n) => {
        if (n === 200 || n === 400) reloads.push(stage.nginx.reload())
      })
      for (const stop of stops) stop()
      await Promise.all(reloads)
    })
    return await stage.results()
  } finally {
    await stage.close()
  }
}

/** What may break. `random` decides for how long. */
const troubles: Record<string, (stage: Stage, random: () => number) => Promise<unknown>> = {
  async cut({ proxies }) {
    for (const proxy of proxies) proxy.cut()
  },
  async 'black hole'({ proxies }, random) {
    for (const proxy of proxies) proxy.blackhole(true)
    await pause(500 + random() * 5000)
    for (const proxy of proxies) proxy.blackhole(false)
  },
  reload: ({ nginx }) => nginx.reload(),
  async 'two reloads'({ nginx }, random) {
    await nginx.reload()
    await pause(random() * 500)
    await nginx.reload()
  },
  async 'cut and reload'({ nginx, proxies }, random) {
    for (const proxy of proxies) proxy.cut()
    await pause(random() * 100)
    await nginx.reload()
  },
  async 'quit and start'({ nginx }) {
    // Clients that hear nothing keep it from going: after a while it is killed, as a service manager does.
    const gone = nginx.quit()
    await Promise.race([gone, pause(3000)])
    if (nginx.pid !== undefined) await nginx.kill()
    await gone
    // What counts ids and tags anew begins in another second.
    await pause(1000)
    await nginx.start()
  },
}

/** Troubles one after the other, with flows and quiet periods between them. */
async function soak(workers: number, minutes: number, random: () => number): Promise<Result[]> {
  const stage = await Stage.start(workers, ['a', 'b', 'rare'])
  const end = Date.now() + minutes * 60_000
  const names = Object.keys(troubles)
  try {
    let done = false
    let quiet = false
    let perSecond = 20
    const publishing = (async () => {
      for (let n = 0; !done; n++) {
        await pause(1000 / perSecond)
        if (!quiet) await stage.publish(n % 50 === 0 ? 'rare' : n % 2 === 0 ? 'a' : 'b')
      }
    })()
    while (Date.now() < end) {
      const name = names[Math.floor(random() * names.length)] as string
      perSecond = 1 + Math.floor(random() * 60)
      process.stderr.write(`${name}, `)
      await stage.trouble(name, () => (troubles[name] as (typeof troubles)[string])(stage, random))
      await pause(500 + random() * 6000)
      quiet = random() < 0.3
      if (quiet) {
        await pause(2000 + random() * 38_000)
        quiet = false
        // The first message after silence is the one that a deaf connection misses.
        await pause(5000)
      }
    }
    done = true
    await publishing
    for (const channel of stage.channels) await stage.publish(channel)
    process.stderr.write('\n')
    return await stage.results()
  } finally {
    await stage.close()
  }
}

const columns = [
  'workers',
  'mode',
  'sent',
  'received',
  'lost',
  'doubled',
  'outOfOrder',
  'gaps',
  'inGaps',
  'latest',
  'uninterrupted',
] as const

/** Runs what was chosen and prints what came of it. Resolves with whether nothing was lost without a gap, doubled or late. */
export async function main({ what, workers, runs, minutes, seed }: Choice): Promise<boolean> {
  if (what === 'tabs') {
    console.log(`tabs: ${minutes} minutes, --seed ${seed}`)
    return tabs(minutes, seededRandom(seed))
  }
  const missing = missingNginx('push-stream')
  if (missing !== undefined) throw new Error(missing)
  if (what !== 'chaos' && what !== 'soak') throw new Error(`--what is 'chaos', 'soak' or 'tabs', not '${what}'`)
  console.log(what === 'chaos' ? `chaos: ${runs} runs` : `soak: ${minutes} minutes, --seed ${seed}`)
  console.log(columns.join('\t'))
  const all: Result[] = []
  for (const count of workers) {
    for (let run = 0; run < (what === 'chaos' ? runs : 1); run++) {
      const results = what === 'chaos' ? await chaos(count) : await soak(count, minutes, seededRandom(seed))
      for (const result of results) {
        console.log(columns.map((column) => result[column]).join('\t'))
        for (const line of [...result.evidence.slice(0, 5), ...result.late.slice(0, 200)]) console.log(`  ${line}`)
      }
      all.push(...results)
    }
  }
  const bad = all.filter(
    ({ lost, doubled, outOfOrder, latest }) => lost + doubled + outOfOrder > 0 || latest > punctual,
  )
  const worst = Math.max(0, ...all.map(({ latest }) => latest))
  console.log(
    `${bad.length} of ${all.length} clients lost, doubled, disordered or got late; the latest message: ${worst} ms`,
  )
  return bad.length === 0
}
