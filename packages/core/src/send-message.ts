import { type Client, internalsOf } from './client.js'
import { PushStreamError } from './errors.js'
import type { Settings } from './options.js'

/**
 * Publishes a text to all channels of a client.
 *
 * In websocket mode the text is sent as a frame. A server without push_stream_websocket_allow_publish drops it silently. In
 * every other mode it is sent by POST to `urlPrefixPublisher`. Both are percent-encoded, as the server's template needs it.
 * For Nchan it is sent by POST to the `publisher` of `nchan({ … })`, once for each channel.
 *
 * ```ts
 * await sendMessage(stream, JSON.stringify({ type: 'answer', value: 42 }))
 * ```
 *
 * @throws PushStreamError as a rejection. `send`: there is no channel, the publisher can't be reached, or it refused the text
 * (`status` tells its answer). `closed`: the client is closed.
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever comes on its channels
export async function sendMessage(client: Client<any>, text: string): Promise<void> {
  const { settings, send } = internalsOf(client)
  const { channels } = client
  if (channels.length === 0) throw new PushStreamError('send', 'There is no channel to publish to: add one first.')
  const { protocol } = settings
  const requests = protocol.capabilities.channelsPerConnection === 1 ? channels.map((name) => [name]) : [channels]
  await Promise.all(
    requests.map(async (names) => {
      const { url, body, frame } = protocol.publish(names, text)
      if (frame === undefined || !send(names[0] as string, frame)) await post(settings, url, body)
    }),
  )
}

async function post({ environment, timeout }: Settings, url: string, body: string): Promise<void> {
  const fail = (message: string, details: object) => new PushStreamError('send', message, details)
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
