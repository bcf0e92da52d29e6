// npm run e2e:soak: clients in Node on nginx with the push stream module, or in tabs, while all around them breaks. See
// README.md.
import '../../scripts/node-version.mjs'
import { parseArgs } from 'node:util'
import { createServer } from 'vite'
import { root } from '../../scripts/workspace.mjs'

const { values } = parseArgs({
  options: {
    what: { type: 'string', default: 'chaos' },
    workers: { type: 'string', default: '1,4' },
    runs: { type: 'string', default: '40' },
    minutes: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
  },
})

const vite = await createServer({
  root,
  logLevel: 'error',
  server: { middlewareMode: true, ws: false, watch: null },
  appType: 'custom',
})
try {
  const { main } = await vite.ssrLoadModule('/e2e/soak/main.ts')
  const well = await main({
    what: values.what,
    workers: values.workers.split(',').map(Number),
    runs: Number(values.runs),
    minutes: Number(values.minutes),
    seed: Number(values.seed),
  })
  process.exitCode = well ? 0 : 1
} finally {
  await vite.close()
}
