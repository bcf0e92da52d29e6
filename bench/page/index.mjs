// The page's side of the bench. Each page has one run, which is controlled from outside.
import { contenders } from './contenders.mjs'
import { FakeWebSocket } from './fake-websocket.mjs'

let count = 0
let target = Number.POSITIVE_INFINITY
let reached = () => {}
let sum = 0

/** The application. It is the same for all contenders. */
function work(data) {
  sum += typeof data === 'string' ? data.length : data.size
  if (++count === target) reached()
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export function start({ contender, transport, ...options }) {
  const WebSocket = transport === 'fake' ? FakeWebSocket : globalThis.WebSocket
  const begin = contenders[contender] ?? globalThis.others.peers[contender]
  begin({ ...options, transport, WebSocket }, work)
}

/** Resolves when this many messages have arrived in total. */
export async function wait(total) {
  if (count < total) {
    await new Promise((resolve) => {
      target = total
      reached = resolve
    })
  }
  return { count, sum }
}

/** Waits until the fake socket is open. */
export async function opened() {
  while (FakeWebSocket.all.size === 0 || [...FakeWebSocket.all].some(({ readyState }) => readyState !== 1))
    await sleep(5)
  await sleep(300)
}

/** Prepares frames. They are flat strings, as from a network, not slices or ropes. */
export async function load(query) {
  const response = await fetch(`/frames?${new URLSearchParams(query)}`)
  globalThis.loaded = await response.json()
}

/** The names in the path of a socket's address, without a number of stored messages behind them. */
const namesOf = ({ url }) => new URL(url).pathname.split('/').map((name) => name.replace(/\.b\d+$/, ''))

/** Texts with the socket that brings them, as few times as their order allows. */
function bySocket(texts) {
  if (FakeWebSocket.all.size === 1) return [[FakeWebSocket.last, texts]]
  const sockets = new Map([...FakeWebSocket.all].flatMap((socket) => namesOf(socket).map((name) => [name, socket])))
  const parts = []
  for (const text of texts) {
    const socket = sockets.get(/"channel":"([^"]+)"/.exec(text)?.[1])
    if (parts.at(-1)?.[0] === socket) parts.at(-1)[1].push(text)
    else parts.push([socket, [text]])
  }
  return parts
}

/**
 * Feeds the prepared frames in batches, one task each. Resolves with the time of each batch in ms. Their median ignores
 * other load on the machine.
 */
export async function feed(size) {
  const texts = globalThis.loaded
  const batches = []
  for (let i = 0; i < texts.length; i += size) batches.push(bySocket(texts.slice(i, i + size)))
  const spent = []
  const before = count
  await new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      const batch = batches.shift()
      if (batch === undefined) return resolve()
      const began = performance.now()
      for (const [socket, part] of batch) socket.feed(part)
      spent.push(performance.now() - began)
      port2.postMessage(null)
    }
    port2.postMessage(null)
  })
  if (count - before !== texts.length) throw new Error(`${count - before} of ${texts.length} messages were delivered`)
  return spent
}

/** Feeds messages `from` to `to`, which are created on the way, for runs that do not fit into memory. */
export async function stream(from, to) {
  const time = new Date(Date.now() - 3_600_000).getTime()
  for (let n = from; n <= to; ) {
    const texts = []
    for (const end = Math.min(to, n + 999); n <= end; n++) {
      const second = new Date(time + Math.floor(n / 1000) * 1000).toUTCString()
      texts.push(
        `{"id":${n},"channel":"bench","text":"message ${n}","tag":"${(n % 1000) + 1}","time":"${second}","eventid":""}`,
      )
    }
    FakeWebSocket.last.feed(texts)
    await sleep(0)
  }
  return count
}

export { receive } from './receive.mjs'
