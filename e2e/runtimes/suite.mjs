// What a client does wherever it runs. It runs in a window, in three kinds of workers, and in Node, Deno and Bun, so it takes
// nothing for granted but `fetch` and timers.

const allModes = ['websocket', 'eventsource', 'stream', 'longpolling']
const patience = 20_000

/** Waits until a condition holds. */
async function until(what, holds) {
  const due = Date.now() + patience
  while (!(await holds())) {
    if (Date.now() > due) throw new Error(`not within ${patience} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function same(what, actual, expected) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`)
}

const upTo = (count, from = 0) => Array.from({ length: count }, (_, n) => n + from)

/** The situations, by what is expected. Each gets a client of one mode, and channels of its own. */
const situations = {
  async 'two channels, and a connection that is cut → each message once, in order'({ open, server, name }) {
    const [a, b] = [name('a'), name('b')]
    const client = await open(a, b)
    for (const channel of [a, b]) await server.publish(channel, 10, 0)
    for (const from of [10, 20]) await server.cut([a, b], 10, from)
    await until('60 messages', () => client.came(a).length + client.came(b).length >= 60)
    for (const channel of [a, b]) same(channel, client.came(channel), upTo(30))
    same('gaps', client.gaps, 0)
  },

  async 'stored messages → they come first, then what is new'({ open, server, name }) {
    const a = name('stored')
    await server.publish(a, 5, 0)
    const client = await open([a, { backtrack: 3 }])
    await server.publish(a, 1, 5)
    await until('4 messages', () => client.came(a).length >= 4)
    same('messages', client.came(a), upTo(4, 2))
  },

  async 'a channel added, and one removed, while connected → messages of the one, none of the other'(given) {
    const { open, server, name } = given
    const [a, b] = [name('first'), name('later')]
    const client = await open(a)
    client.stream.addChannel(b)
    client.stream.removeChannel(a)
    await until('open', async () => (await server.subscribers(b)) === 1 && (await server.subscribers(a)) === 0)
    await server.publish(a, 1, 0)
    await server.publish(b, 1, 0)
    await until('a message', () => client.came(b).length >= 1)
    same('messages', [client.came(a), client.came(b)], [[], [0]])
  },

  async 'a channel that is refused → an error that names it, and the others go on'({ open, server, name }) {
    const a = name('allowed')
    const client = await open(a)
    const secret = name('secret')
    client.stream.addChannel(secret)
    await until('an error', () => client.errors.some(({ channel }) => channel === secret))
    same('code', client.errors.find(({ channel }) => channel === secret).code, 'forbidden')
    await server.publish(a, 1, 0)
    await until('a message', () => client.came(a).length >= 1)
  },

  async 'closed → nothing stays connected'({ open, server, name }) {
    const a = name('closed')
    const { stream } = await open(a)
    await until('a subscriber', async () => (await server.subscribers(a)) === 1)
    stream.close()
    same('state', stream.status.state, 'closed')
    await until('no subscriber', async () => (await server.subscribers(a)) === 0)
  },
}

/** A server, by the origin that it has its locations on. */
const serverAt = (url) => ({
  async publish(channel, count, from) {
    for (let n = from; n < from + count; n++) {
      const { status } = await fetch(`${url}/pub?id=${channel}`, { method: 'POST', body: JSON.stringify({ n }) })
      if (status !== 200) throw new Error(`published with ${status}`)
    }
  },
  async subscribers(channel) {
    const answer = await fetch(`${url}/channels-stats?id=${channel}`)
    return answer.status === 404 ? 0 : Number((await answer.json()).subscribers)
  },
  /** Cuts all connections, and publishes to these channels before there are others. */
  async cut(channels, count, from) {
    // The answer is cut as well, and who sends it again would publish twice.
    await fetch(`${url}/cut?channels=${channels}&count=${count}&from=${from}`).catch(() => {})
  },
})

/** A client, and all that it tells. */
function watched(stream) {
  const messages = []
  const client = {
    stream,
    gaps: 0,
    errors: [],
    came: (channel) => messages.filter((one) => one.channel === channel).map(({ data }) => data.n),
  }
  stream.on('message', (message) => void messages.push(message))
  stream.on('gap', () => client.gaps++)
  stream.on('error', (error) => void client.errors.push(error))
  return client
}

/**
 * Runs everything in every mode. Resolves with a list of `{ title, error }`: the error is missing where all was well.
 *
 * @param PushStream the client's class.
 * @param url the origin of a place: see place.mjs.
 * @param environment what the runtime lacks.
 */
export async function suite(PushStream, url, environment) {
  const server = serverAt(url)
  const results = []
  // The places of several runtimes may be one.
  const run = Math.random().toString(36).slice(2, 8)
  for (const mode of allModes) {
    for (const [what, situation] of Object.entries(situations)) {
      const streams = []
      const open = async (...channels) => {
        const stream = new PushStream({ url, modes: [mode], environment, reconnectOnTimeoutInterval: 200 })
        streams.push(stream)
        const client = watched(stream)
        for (const channel of channels) stream.addChannel(...[channel].flat())
        stream.connect()
        await until('open', () => stream.status.state === 'open')
        return client
      }
      const title = `${mode}: ${what}`
      try {
        await situation({ open, server, name: (text) => `${run}-${mode}-${text}` })
        results.push({ title })
      } catch (error) {
        results.push({ title, error: `${error?.message ?? error}` })
      }
      for (const stream of streams) stream.close()
    }
  }
  return results
}
