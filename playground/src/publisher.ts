/** Tells this page's messages from those of others, in the latency chart and the burst's account. */
export const pageId = crypto.randomUUID?.().slice(0, 8) ?? Math.random().toString(36).slice(2, 10)

export interface PublishOptions {
  readonly eventId?: string
  readonly eventType?: string
}

/**
 * Publishes as a page would: a POST to the publisher's location. The text is percent-encoded, as `sendMessage` does,
 * because the server's template takes it as it comes: quotes and line breaks would spoil the frame. Resolves with the
 * number of subscribers.
 */
export async function publish(base: string, channel: string, text: string, options: PublishOptions = {}) {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (options.eventId) headers['Event-Id'] = options.eventId
  if (options.eventType) headers['Event-Type'] = options.eventType
  const response = await fetch(`${base}/pub?id=${encodeURIComponent(channel)}`, {
    method: 'POST',
    headers,
    body: encodeURIComponent(text),
  })
  if (!response.ok) {
    const why = response.headers.get('X-Nginx-PushStream-Explain')
    throw new Error(`The server answered ${response.status}${why === null ? '' : `: ${why}`}`)
  }
  const answer: unknown = await response.json().catch(() => undefined)
  const count = (answer as { subscribers?: unknown } | undefined)?.subscribers
  return { subscribers: count === undefined ? undefined : Number(count) }
}

/** Adds when and by whom it was sent to a body that is a JSON object; leaves any other as it is. */
export function stamp(text: string): string {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return text
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return text
  return JSON.stringify({ ...body, sentAt: Date.now(), from: pageId })
}

/** What {@link stamp} added, if this page did. */
export function sentAt(data: unknown): number | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const { from, sentAt: at } = data as { from?: unknown; sentAt?: unknown }
  return from === pageId && typeof at === 'number' ? at : undefined
}
