// The time from publishing to the callback by long-polling, in a steady flow of messages.
import { median, quantile, spread, table } from './figures.mjs'
import { now, receiving, sleep, startServer } from './live.mjs'

const messages = 200
/** The time between two messages, in ms. */
const pause = () => 20 + Math.random() * 80

export async function latency(browser, scripts, tools, contenders) {
  const { server, url } = await startServer(tools)
  const receivers = []
  const results = []
  try {
    for (const contender of contenders) {
      // Each has its own messages. With common ones, they would wait for each other on few cores.
      const channel = contender
      server.publish(channel, String(now()))
      const receiver = await receiving(browser, scripts, url, contender, { channel, modes: ['longpolling'] })
      receivers.push(receiver)
      await sleep(1000)
      for (let i = 0; i < 20; i++) {
        server.publish(channel, String(now()))
        await sleep(pause())
      }
      await sleep(500)
      const before = (await receiver.got())[0].messages.length
      for (let i = 0; i < messages; i++) {
        server.publish(channel, String(now()))
        await sleep(pause())
      }
      await sleep(500)
      const [{ messages: got }] = await receiver.got()
      const times = got.slice(before).map(([sent, came]) => came - sent)
      await receiver.close()
      results.push({ contender, times, lost: messages - times.length })
    }
  } finally {
    await server.close()
  }
  return results
}

export function latencyTable(results) {
  const ms = (value) => value.toFixed(1)
  return table(
    ['client', 'median ms', 'half of them', '95 %', 'messages', 'lost'],
    results.map(({ contender, times, lost }) => [
      contender,
      ms(median(times)),
      spread(times).map(ms).join('–'),
      ms(quantile(times, 0.95)),
      String(times.length),
      String(lost),
    ]),
  )
}
