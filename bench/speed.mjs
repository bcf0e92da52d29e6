// Script time per message, compared with the bare transport with the same work.
import { Blaster } from './blaster.mjs'
import { collectGarbage, counted, freshPage, startCounting, traceScript } from './browser.mjs'
import { median, spread, table } from './figures.mjs'

/** Messages per task. */
const batch = 100
const fetching = ['eventsource', 'longpolling']

/** Other contenders in the same rounds, on transports that the clients of other servers lack. */
const alongside = { websocket: ['reconnecting-websocket'], eventsource: ['native EventSource'] }

/** One run in a new process. Returns the time per message of scripts and of the whole main thread, in µs. */
export async function run(browser, server, scripts, { transport, variant, contender, warm, messages, scale }) {
  const total = warm + messages
  server.begin(variant, transport === 'fake' ? 0 : warm)
  const { page, session, close } = await freshPage(browser, server.url, scripts)
  const wait = (count) => page.evaluate((upTo) => globalThis.bench.wait(upTo), count)
  try {
    await startCounting(session)
    await page.evaluate((options) => globalThis.bench.start(options), { transport, variant, contender, ...scale })
    const load = (from, to) =>
      page.evaluate((query) => globalThis.bench.load(query), { variant, contender, from, to, ...scale })
    const feed = () => page.evaluate((size) => globalThis.bench.feed(size), batch)
    if (transport === 'fake') {
      await page.evaluate(() => globalThis.bench.opened())
      await load(1, warm)
      await feed()
      await load(warm + 1, total)
    } else await wait(warm)
    await collectGarbage(session)
    const before = await counted(session)
    let wall
    let script
    const go = async () => {
      if (transport === 'fake') wall = median(await feed()) / batch
      else {
        server.release(total)
        await wait(total)
      }
    }
    if (fetching.includes(transport)) script = await traceScript(browser, page, go)
    else await go()
    const after = await counted(session)
    const perMessage = (ms) => (ms * 1000) / messages
    return {
      script: perMessage(script ?? after.script - before.script),
      thread: perMessage(after.task - before.task),
      wall: wall === undefined ? undefined : wall * 1000,
    }
  } finally {
    await close()
  }
}

export async function speed(browser, scripts, options) {
  const { pairs, warm, messages, transports, variants, extra, peers, alone } = options
  const server = new Blaster()
  await server.listen()
  const results = []
  try {
    for (const transport of transports) {
      for (const variant of variants) {
        // Other servers do not encode bodies.
        const others = transport === 'fake' && variant !== 'encoded' ? peers : (alongside[transport] ?? [])
        const names = ['bare', 'client', ...extra, ...(alone ? [] : others)]
        const runs = Object.fromEntries(names.map((name) => [name, []]))
        for (let pair = 0; pair < pairs; pair++) {
          // In alternating order, so that no contender is always the first.
          for (const contender of pair % 2 === 0 ? names : names.toReversed()) {
            runs[contender].push(await run(browser, server, scripts, { transport, variant, contender, warm, messages }))
          }
        }
        for (const name of names) results.push(summary(transport, variant, name, runs[name], runs.bare))
        console.error(`${transport} ${variant}: ${results.at(-names.length + 1).ratio.toFixed(2)}`)
      }
    }
  } finally {
    server.close()
  }
  return results
}

function summary(transport, variant, contender, runs, bare) {
  const column = (of, key) => of.map((one) => one[key])
  const ratio = (key) => median(column(runs, key)) / median(column(bare, key))
  return {
    transport,
    variant,
    contender,
    script: median(column(runs, 'script')),
    scriptSpread: spread(column(runs, 'script')),
    ratio: ratio('script'),
    pairRatios: spread(runs.map((one, i) => one.script / bare[i].script)),
    wallRatio: transport === 'fake' ? ratio('wall') : undefined,
    threadRatio: ratio('thread'),
    runs: column(runs, 'script'),
  }
}

export function speedTable(results) {
  const number = (value, digits = 2) => (value === undefined ? '' : value.toFixed(digits))
  return table(
    [
      'transport',
      'body',
      'client',
      'µs/message',
      'half of the runs',
      'ratio',
      'half of the pairs',
      'wall',
      'main thread',
    ],
    results.map((one) => [
      one.transport,
      one.variant,
      one.contender,
      number(one.script),
      one.scriptSpread.map((value) => number(value)).join('–'),
      number(one.ratio),
      one.contender === 'bare' ? '' : one.pairRatios.map((value) => number(value)).join('–'),
      number(one.wallRatio),
      number(one.threadRatio),
    ]),
  )
}
