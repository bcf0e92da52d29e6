// How soon messages arrive again after the server reloads, or the network cuts every connection.
import { WebSocket } from 'ws'
import { median, quantile, spread, table } from './figures.mjs'
import { now, receiving, sleep, startServer } from './live.mjs'

/** The time between two messages, in ms. */
const interval = 5
const clients = 50
const patience = 10_000

const modes = ['websocket', 'eventsource', 'longpolling']

async function startNetwork(tools) {
  const { server, url: target } = await startServer(tools)
  const proxy = tools.createFaultProxy({ target })
  const { url } = await proxy.listen()
  const close = async () => {
    await proxy.close()
    await server.close()
  }
  const breaks = { reload: () => server.reload(), cut: () => proxy.cut() }
  return { server, proxy, url, breaks, close }
}

/** Breaks the connection repeatedly. Returns the times until the first message that is published after each, in ms. */
async function times(browser, scripts, tools, { contender, mode, how, rounds }) {
  const { server, url, breaks, close } = await startNetwork(tools)
  const publishing = setInterval(() => server.publish('live', String(now())), interval)
  const receiver = await receiving(browser, scripts, url, contender, { channel: 'live', modes: [mode] })
  const found = []
  const waits = []
  try {
    await sleep(1500)
    for (let round = 0; round < rounds; round++) {
      const at = now()
      breaks[how]()
      const until = at + patience
      let first
      while (first === undefined && now() < until) {
        await sleep(50)
        const [{ messages, states }] = await receiver.got()
        first = messages.find(([sent]) => sent >= at)
        if (first === undefined) continue
        found.push(first[1] - at)
        const waiting = states.find((state) => state.at >= at && state.state === 'waiting')
        if (waiting?.retryAt !== undefined) waits.push(waiting.retryAt - waiting.at)
      }
      if (first === undefined) found.push(Number.NaN)
      // Longer than any replacement connection that is opened to verify the current one.
      await sleep(2200 + Math.random() * 200)
      await receiver.page.evaluate(() => {
        for (const { messages, states } of globalThis.got) {
          messages.length = 0
          states.length = 0
        }
      })
    }
  } finally {
    clearInterval(publishing)
    await receiver.close()
    await close()
  }
  return { contender, mode, how, times: found, waits }
}

async function until(condition, otherwise) {
  const end = now() + patience
  while (!condition()) {
    if (now() > end) throw new Error(otherwise)
    await sleep(20)
  }
}

/**
 * Many clients lose the same server at once. Returns when each of them first comes back. It runs in Node, because a
 * browser delays many websockets of one page by itself.
 */
async function herd(tools, how) {
  const { server, url, breaks, close } = await startNetwork(tools)
  const attempts = new Map()
  const names = Array.from({ length: clients }, (_, i) => `c${i}`)
  const streams = names.map((name) => {
    const noting = class extends WebSocket {
      constructor(...given) {
        super(...given)
        attempts.set(name, attempts.get(name) ?? performance.now())
      }
    }
    const stream = new tools.PushStream({ url, modes: ['websocket'], environment: { WebSocket: noting } })
    return stream.addChannel(name).connect()
  })
  try {
    await until(() => streams.every((stream) => stream.status.state === 'open'), 'the clients are not connected')
    // Wait for a message first, or the client counts the loss as a failure.
    for (const name of names) server.publish(name, 'first')
    await until(() => streams.every((stream) => stream.stats.received > 0), 'the clients did not get a message')
    await sleep(1000)
    attempts.clear()
    const at = performance.now()
    breaks[how]()
    await sleep(2000)
    return { how, first: [...attempts.values()].map((time) => time - at) }
  } finally {
    for (const stream of streams) stream.close()
    await close()
  }
}

export async function recovery(browser, scripts, tools, { rounds, ancestor }) {
  const found = { times: [], herds: [] }
  for (const how of ['reload', 'cut']) {
    for (const mode of modes) {
      found.times.push(await times(browser, scripts, tools, { contender: 'client', mode, how, rounds }))
      process.stderr.write('.')
    }
    if (ancestor) {
      const some = Math.min(rounds, 5)
      found.times.push(
        await times(browser, scripts, tools, { contender: 'ancestor', mode: 'websocket', how, rounds: some }),
      )
    }
    found.herds.push(await herd(tools, how))
  }
  process.stderr.write('\n')
  return found
}

const ms = (value) => (Number.isNaN(value) ? '' : value.toFixed(0))

export function recoveryTable(results) {
  return table(
    ['client', 'mode', 'after a', 'median ms', 'half of them', 'longest', 'of it waited', 'rounds', 'never'],
    results.map(({ contender, mode, how, times: all, waits }) => {
      const came = all.filter((time) => !Number.isNaN(time))
      return [
        contender,
        mode,
        how,
        ms(median(came)),
        spread(came).map(ms).join('–'),
        ms(quantile(came, 1)),
        waits.length > 0 ? ms(median(waits)) : '',
        String(all.length),
        String(all.length - came.length),
      ]
    }),
  )
}

export function attemptsTable(results) {
  return table(
    ['50 clients', 'first ms', 'median', 'last', 'most in one ms', 'came'],
    results.map(({ how, first }) => {
      const perMs = new Map()
      for (const time of first) perMs.set(Math.floor(time), (perMs.get(Math.floor(time)) ?? 0) + 1)
      return [
        `after a ${how}`,
        ms(quantile(first, 0)),
        ms(median(first)),
        ms(quantile(first, 1)),
        String(Math.max(0, ...perMs.values())),
        String(first.length),
      ]
    }),
  )
}
