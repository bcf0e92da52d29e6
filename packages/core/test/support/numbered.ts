import type { Gap, Message } from '@pushstream/core'

// Shared by the tests in Node and in browsers: it must need neither.

/** Publishes numbered messages at a rate to channels in turn. Resolves when the last is out. */
export async function publishAtRate(
  publish: (channel: string, number: number) => unknown,
  channels: readonly string[],
  count: number,
  perSecond: number,
  during: (number: number) => void = () => {},
): Promise<void> {
  const began = performance.now()
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - began) * perSecond) / 1000) + 1)
    for (; sent < due; sent++) {
      await publish(channels[sent % channels.length] as string, sent)
      during(sent)
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** Waits until the server behind a fault proxy has sent something this many times more: pings, where nothing is published. */
export async function sentAgain(proxy: { stats: { bytesFromServer: number } }, times: number): Promise<void> {
  for (let seen = 0, before = proxy.stats.bytesFromServer; seen < times; ) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    const { bytesFromServer } = proxy.stats
    if (bytesFromServer > before) seen++
    before = bytesFromServer
  }
}

/** What is wrong with ids that should be first…n per channel, gaps aside. Empty when nothing is. */
export function faults(
  all: readonly (Pick<Message, 'channel' | 'id'> | Gap)[],
  first: Readonly<Record<string, number>> = {},
): string[] {
  const found: string[] = []
  const last = new Map<string, number>()
  for (const event of all) {
    const before = last.get(event.channel) ?? (first[event.channel] ?? 1) - 1
    if ('reason' in event) {
      if (event.first !== before + 1) found.push(`${event.channel}: a gap from ${event.first} after ${before}`)
      last.set(event.channel, event.last === 'unknown' ? 0 : event.last)
      continue
    }
    const id = event.id as number
    if (id <= before) found.push(`${event.channel}: ${id} after ${before}, doubled or out of order`)
    else if (id > before + 1) found.push(`${event.channel}: ${before + 1} to ${id - 1} lost without a gap`)
    last.set(event.channel, id)
  }
  return found
}
