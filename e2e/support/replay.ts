import type { Start } from '../page/page.js'
import type { Tab } from './tab.js'
import { expect } from './test.js'

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

/** Stored events (130 and 60), asked for from the beginning, arrive once and in order. Live events follow. */
export async function delivers190(
  tab: Tab,
  django: { publish(channel: string, data: string): void; readonly sent?: Promise<unknown> },
  start: Pick<Start, 'protocol' | 'options'>,
): Promise<void> {
  for (const n of upTo(130)) django.publish('p', `p${n}`)
  for (const n of upTo(60)) django.publish('q', `q${n}`)
  await django.sent
  await tab.load(undefined, 'elsewhere.html')
  const options = { ...start.options, lastEventId: 'p:0,q:0' }
  await tab.start({ ...start, options, channels: { p: 0, q: 0 } })
  await tab.received(190)
  django.publish('q', 'q61')
  const { messages, gaps } = await tab.received(191)
  expect(messages.filter(({ channel }) => channel === 'p').map(({ id }) => id)).toEqual(upTo(130))
  expect(messages.filter(({ channel }) => channel === 'q').map(({ id }) => id)).toEqual(upTo(61))
  expect(messages.every(({ channel, id, text }) => text === `${channel}${id}`)).toBe(true)
  expect(gaps).toEqual([])
}
