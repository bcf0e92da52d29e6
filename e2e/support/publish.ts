import { setTimeout as pause } from 'node:timers/promises'
import type { DevServer } from '@pushstream/devserver'

/** Publishes numbered messages at a rate to channels in turn. Resolves when the last is out. */
export async function publishAtRate(
  server: DevServer,
  channels: readonly string[],
  count: number,
  perSecond: number,
  during: (number: number) => void = () => {},
): Promise<void> {
  const began = performance.now()
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - began) * perSecond) / 1000) + 1)
    for (; sent < due; sent++) {
      server.publish(channels[sent % channels.length] as string, JSON.stringify({ type: 'number', n: sent }))
      during(sent)
    }
    await pause(5)
  }
}
