import type { Client } from './client.js'
import { PushStreamError } from './errors.js'
import { type Internals, internalsOf } from './internals.js'
import type { Message } from './message.js'
import type { Settings } from './options.js'

/** How long an echo is waited for before a frame behind the other makes the server read on, in ms. */
const patience = 1000

/** What each client has under way by websocket. */
const queues = new WeakMap<object, Promise<unknown>>()

const fail = (message: string, details?: object) => new PushStreamError('send', message, details)

/**
 * Publishes a text to all channels of a client.
 *
 * In websocket mode the text is sent as a frame (push_stream_websocket_allow_publish). The server reads one frame at a time,
 * so the next one leaves when the text has come back. In every other mode it is sent by POST to `urlPrefixPublisher`. Both are
 * percent-encoded, as the server's template needs it. For Nchan it is sent by POST to the `publisher` of `nchan({ … })`, once for
 * each channel.
 *
 * @throws PushStreamError as a rejection. `send`: there is no channel, the publisher can't be reached, it refused the text
 * (`status` tells its answer), or a text by websocket did not come back; then those behind it are not sent. `closed`: the client
 * is closed.
 *
 * @example
 * ```ts
 * import { PushStream, sendMessage } from '@pushstream/core'
 *
 * const stream = new PushStream().addChannel('user-42').connect()
 * await sendMessage(stream, JSON.stringify({ type: 'answer', value: 42 }))
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever comes on its channels
export async function sendMessage(client: Client<any>, text: string): Promise<void> {
  const internals = internalsOf(client)
  if (client.channels.length === 0) throw fail('There is no channel to publish to: add one first.')
  if (client.status.mode !== 'websocket') return publish(client, internals, text)
  const sent = (queues.get(client) ?? Promise.resolve()).then(() => publish(client, internals, text))
  queues.set(client, sent)
  const done = () => {
    if (queues.get(client) === sent) queues.delete(client)
  }
  sent.then(done, done)
  return sent
}

// biome-ignore lint/suspicious/noExplicitAny: whatever comes on its channels
async function publish(client: Client<any>, internals: Internals, text: string): Promise<void> {
  const { settings, pool } = internals
  await Promise.all(
    pool.groups.map(async (names) => {
      const { url, body, frame } = settings.protocol.publish(names, text)
      const echo = frame === undefined ? undefined : createEcho(client, internals, names, [text, frame])
      if (frame !== undefined && pool.send(names[0] as string, frame)) return echo?.came
      echo?.end()
      await post(settings, url, body)
    }),
  )
}

/** Waits for a text to come back on one of these channels, in one of these forms. */
function createEcho(
  // biome-ignore lint/suspicious/noExplicitAny: whatever comes on its channels
  client: Client<any>,
  { settings, pool, endings }: Internals,
  names: readonly string[],
  forms: readonly string[],
) {
  const { environment, timeout } = settings
  let end = () => {}
  const came = new Promise<void>((resolve, reject) => {
    const heard = ({ channel, text }: Message) => {
      if (!names.includes(channel) || !forms.includes(text)) return
      end()
      resolve()
    }
    const lost = () => {
      end()
      reject(fail(`The text did not come back within ${timeout} ms: is push_stream_websocket_allow_publish on?`))
    }
    // A frame that came together with another one is read when the next one comes.
    const nudge = () => {
      pool.send(names[0] as string, '')
      nudging = environment.setTimeout(nudge, patience)
    }
    let nudging = environment.setTimeout(nudge, patience)
    const timer = environment.setTimeout(lost, timeout)
    end = () => {
      client.off('message', heard)
      endings.delete(lost)
      environment.clearTimeout(timer)
      environment.clearTimeout(nudging)
    }
    client.on('message', heard)
    endings.add(lost)
  })
  return { came, end }
}

async function post({ environment, timeout }: Settings, url: string, body: string): Promise<void> {
  let response: Response
  try {
    response = await environment.fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(timeout) })
  } catch (cause) {
    throw fail('The publisher could not be reached. Try again.', { cause })
  }
  if (response.ok) return
  const { status, headers } = response
  const explain = headers.get('X-Nginx-PushStream-Explain')
  throw fail(`The publisher answered ${status}${explain === null ? '' : `: ${explain}`}`, { status })
}
