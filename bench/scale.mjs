// Whether many channels and processors make a message slower.
import { Blaster } from './blaster.mjs'
import { median, table } from './figures.mjs'
import { run } from './speed.mjs'

/** Each channel has a processor. Several types are processors of one channel. */
const scales = [
  ...[1, 30, 1000].map((channels) => ({ variant: 'quoted', scale: { channels, types: 1 } })),
  ...[2, 30, 1000].map((types) => ({ variant: 'raw', scale: { channels: 1, types } })),
]

export async function scale(browser, scripts, { pairs, warm, messages, extra }) {
  const server = new Blaster()
  await server.listen()
  const results = []
  try {
    for (const contender of ['client', ...extra.filter((name) => name === 'other')]) {
      for (const one of scales) results.push({ contender, ...one, runs: [] })
    }
    for (let pair = 0; pair < pairs; pair++) {
      for (const { contender, variant, scale, runs } of results) {
        const options = { transport: 'fake', variant, contender, warm, messages, scale }
        runs.push((await run(browser, server, scripts, options)).script)
      }
    }
  } finally {
    server.close()
  }
  return results.map((one) => ({ ...one, script: median(one.runs) }))
}

export function scaleTable(results) {
  return table(
    ['client', 'channels', 'types a channel', 'µs/message'],
    results.map(({ contender, scale, script }) => [
      contender,
      String(scale.channels),
      String(scale.types),
      script.toFixed(2),
    ]),
  )
}
