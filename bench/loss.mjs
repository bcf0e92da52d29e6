// What is lost while a network and a server fail: by this client, and by what is pasted into pages instead.
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { root } from '../scripts/workspace.mjs'
import { table } from './figures.mjs'
import { now, receiving, sleep, startServer } from './live.mjs'

const messages = 2000
const perSecond = 200
/** How long after its fault a client may take to have everything, in ms. */
const patience = 120_000

/** The names of the clients, as the tables have them. */
const names = {
  client: '`@pushstream/core`',
  ancestor: 'pushstream.js of the module',
  socket: 'reconnecting-websocket, pasted',
  events: 'EventSource, pasted',
  resuming: 'EventSource, messages with event ids',
  'socket.io': 'socket.io',
  recovering: 'socket.io with connection state recovery',
}
/** Clients of a server of their own. */
const others = ['socket.io', 'recovering']
/** What is a fault of the development server. */
const reloads = 'two reloads'

/** Each breaks something while messages are published, and resolves when all is well again. */
const faults = {
  'cut each second': async ({ proxy }, published) => {
    const timer = setInterval(() => proxy.cut(), 1000)
    await published
    clearInterval(timer)
  },
  'a black hole of 5 s': async ({ proxy }) => {
    await sleep(2000)
    proxy.blackhole(true)
    await sleep(5000)
    proxy.blackhole(false)
  },
  [reloads]: async ({ server }) => {
    for (let n = 0; n < 2; n++) {
      await sleep(3000)
      server.reload()
    }
  },
}

/** A server of socket.io that sends every message to every client. */
async function startSocketIo(options) {
  const { Server } = await import('socket.io')
  const http = createServer((_, response) => response.writeHead(404).end())
  const io = new Server(http, options)
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    server: { publish: (_, text) => io.emit('message', text), close: () => io.close() },
    url: `http://127.0.0.1:${http.address().port}`,
  }
}

/** The server that a client is for. */
function startFor(contender, tools) {
  if (contender === 'recovering') return startSocketIo({ connectionStateRecovery: {} })
  if (contender === 'socket.io') return startSocketIo()
  // The browser's EventSource sends the id as a header.
  const header = contender === 'resuming' && { lastEventId: null }
  return startServer(tools, { maxMessagesStoredPerChannel: messages, ...header })
}

/** Publishes numbers at the rate. */
async function publish(server, withIds) {
  const began = Date.now()
  for (let n = 1; n <= messages; n++) {
    const late = began + (n * 1000) / perSecond - Date.now()
    if (late > 0) await sleep(late)
    server.publish('live', String(n), withIds ? { eventId: String(n) } : {})
  }
}

/** What came of the numbers that were published. `announced`: how many a gap was said to have. */
function account(got, gaps) {
  const seen = new Set()
  let doubled = 0
  let disordered = 0
  let highest = 0
  for (const [n] of got) {
    if (seen.has(n)) doubled++
    else if (n < highest) disordered++
    seen.add(n)
    highest = Math.max(highest, n)
  }
  return { lost: messages - seen.size - gaps, announced: gaps, doubled, disordered }
}

async function measure(browser, scripts, tools, contender, fault) {
  const { server, url: target } = await startFor(contender, tools)
  const proxy = tools.createFaultProxy({ target })
  const { url } = await proxy.listen()
  const receiver = await receiving(browser, scripts, url, contender, { channel: 'live' })
  try {
    await sleep(2000)
    const published = publish(server, contender === 'resuming')
    await Promise.all([published, faults[fault]({ proxy, server }, published)])
    const over = now()
    for (let came = 0; came < messages && now() - over < patience; await sleep(250))
      came = (await receiver.got())[0].messages.length
    const [{ messages: all, gaps }] = await receiver.got()
    const late = Math.max(0, ...all.map(([, at]) => at - over))
    return { contender, fault, late, ...account(all, gaps) }
  } finally {
    await receiver.close()
    await proxy.close()
    await server.close()
  }
}

/** All clients side by side, each with a server and a network of its own. */
export async function loss(browser, scripts, tools, { ancestor, peers }) {
  const measured = (name) => (name === 'ancestor' ? ancestor : peers || !others.includes(name))
  const contenders = Object.keys(names).filter(measured)
  const results = []
  for (const fault of Object.keys(faults)) {
    const hit = contenders.filter((name) => fault !== reloads || !others.includes(name))
    const runs = hit.map((contender) => measure(browser, scripts, tools, contender, fault))
    results.push(...(await Promise.all(runs)))
  }
  return results
}

export function lossTable(results) {
  const all = Object.keys(faults)
  const cell = ({ lost, announced, doubled, disordered, late } = {}) =>
    [
      lost === undefined ? '' : String(lost),
      late > 1000 && `${Math.round(late / 1000)} s late`,
      announced > 0 && `${announced} announced`,
      doubled > 0 && `${doubled} doubled`,
      disordered > 0 && `${disordered} out of order`,
    ]
      .filter(Boolean)
      .join(', ')
  const contenders = [...new Set(results.map(({ contender }) => contender))]
  return table(
    ['client', ...all],
    contenders.map((contender) => [
      names[contender],
      ...all.map((fault) => cell(results.find((one) => one.contender === contender && one.fault === fault))),
    ]),
  )
}

/** Puts the table where README.md and docs/comparison.md have it. */
export async function writeLoss(results) {
  const rows = lossTable(results)
  for (const file of ['README.md', 'docs/comparison.md']) {
    const path = join(root, file)
    const text = await readFile(path, 'utf8')
    const block = /(<!-- loss[^>]*-->\n)[^]*?(\n<!-- \/loss -->)/
    await writeFile(
      path,
      text.replace(block, (_, begin, end) => `${begin}\n${rows}\n${end}`),
    )
  }
}
