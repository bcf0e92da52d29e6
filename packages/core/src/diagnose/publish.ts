import { type Context, within } from './request.js'
import type { Published } from './types.js'

/** How long a publisher may take to answer, in ms. */
const patience = 5000

/** An address of a publisher for a channel: in place of `{channel}`, or else as the argument `id`. */
function publisherOf(address: string, channel: string): string {
  const name = encodeURIComponent(channel)
  if (address.includes('{channel}')) return address.replaceAll('{channel}', name)
  return `${address}${address.includes('?') ? '&' : '?'}id=${name}`
}

/** A text that a template, a decoder or a proxy may spoil. */
const textOf = (n: number) => JSON.stringify({ doctor: n, text: `"é" 100% <b>&amp; \\ ${n}` })

/** Publishes one text, as the client encodes it. Never rejects. */
export async function publish(context: Context, address: string, n: number): Promise<Published> {
  const { settings, channel, began } = context
  const { protocol, environment } = settings
  const text = textOf(n)
  const eventId = `doctor-${began}-${n}`
  const from = environment.now() - began
  const status = await within(context, patience, async (signal) => {
    const response = await environment.fetch(publisherOf(address, channel), {
      method: 'POST',
      headers: { 'Event-Id': eventId },
      body: protocol.publish([channel], text).body,
      signal,
    })
    await response.text()
    return response.status
  })
  return { text, eventId, from, at: environment.now() - began, status }
}
