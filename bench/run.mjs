// npm run bench: compares the client with the bare transport. bench/README.md explains the measurements.
import '../scripts/node-version.mjs'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../scripts/workspace.mjs'
import { launch } from './browser.mjs'
import { client, forNode, hasPeers, page, peerSizes, peers, simulated, sizes, zipped } from './bundle.mjs'
import { variants } from './frames.mjs'
import { heap, heapTable } from './heap.mjs'
import { herd, herdTable } from './herd.mjs'
import { latency, latencyTable } from './latency.mjs'
import { loss, lossTable, writeLoss } from './loss.mjs'
import { attemptsTable, recovery, recoveryTable } from './recovery.mjs'
import { needed, writePage } from './report.mjs'
import { scale, scaleTable } from './scale.mjs'
import { speed, speedTable } from './speed.mjs'

const sections = ['speed', 'scale', 'heap', 'sizes', 'herd', 'latency', 'recovery', 'loss']
const transports = ['fake', 'websocket', 'eventsource', 'longpolling']

const help = `npm run bench -- [sections] [options]

  sections             ${sections.join(', ')}; default all
  --pairs <n>          interleaved runs of each contender, default 9
  --messages <n>       measured messages per run, default 50000
  --warm <n>           messages to warm up, default 50000
  --rounds <n>         recoveries of each kind, default 20
  --transports <list>  of ${transports.join(',')}
  --bodies <list>      of ${Object.keys(variants).join(',')}
  --client <folder>    the client's sources, default packages/core/src
  --other <folder>     sources of another version to measure as well, "before" on the page
  --ancestor <file>    pushstream.js, to measure it as well
  --alone              without the clients of other servers (npm ci --prefix bench installs them)
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '9' },
    messages: { type: 'string', default: '50000' },
    warm: { type: 'string', default: '50000' },
    rounds: { type: 'string', default: '20' },
    transports: { type: 'string', default: transports.join(',') },
    bodies: { type: 'string', default: Object.keys(variants).join(',') },
    client: { type: 'string', default: join(root, 'packages/core/src') },
    other: { type: 'string' },
    ancestor: { type: 'string' },
    alone: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(help)
  process.exit(0)
}
const wanted = positionals.length > 0 ? positionals : sections
for (const name of wanted) {
  if (!sections.includes(name)) throw new Error(`There is no section '${name}'. ${help}`)
}

const scripts = [{ content: await client(values.client, 'Client') }, { content: await page() }]
const size = zipped(scripts[0].content)
if (values.other !== undefined) scripts.push({ content: await client(values.other, 'Other') })
if (values.ancestor !== undefined) scripts.push({ content: await readFile(values.ancestor, 'utf8') })
else console.log('pushstream.js is skipped: pass its path with --ancestor.')
const withPeers = hasPeers() && !values.alone
if (withPeers) scripts.push({ content: await peers() })
else console.log('Clients of other servers are skipped: npm ci --prefix bench installs them.')
const extra = [...(values.other ? ['other'] : []), ...(values.ancestor ? ['ancestor'] : [])]

const browser = await launch()
const results = {
  date: new Date().toISOString(),
  machine: `${cpus().length} cores, ${cpus()[0]?.model}`,
  versions: { chromium: browser.version(), node: process.version },
  load: loadavg()[0],
  warm: Number(values.warm),
  messages: Number(values.messages),
  size,
}
console.log(
  `Chromium ${browser.version()}, Node ${process.version}, ${results.machine}; the client: ${size} bytes gzipped`,
)
try {
  const show = (title, text) => console.log(`\n${title}\n\n${text}`)
  if (wanted.includes('speed')) {
    results.speed = await speed(browser, scripts, {
      pairs: Number(values.pairs),
      messages: Number(values.messages),
      warm: Number(values.warm),
      transports: values.transports.split(','),
      variants: values.bodies.split(','),
      extra,
      peers: withPeers ? ['pusher-js', 'centrifuge', 'socket.io-client', '@anycable/web'] : [],
      alone: values.alone,
    })
    show('Speed: script time per message, and its ratio to bare', speedTable(results.speed))
  }
  if (wanted.includes('scale')) {
    results.scale = await scale(browser, scripts, {
      pairs: Number(values.pairs),
      messages: Number(values.messages),
      warm: Number(values.warm),
      extra,
    })
    show('Speed with many channels and processors', scaleTable(results.scale))
  }
  if (wanted.includes('sizes')) {
    results.sizes = { client: await sizes(values.client) }
    if (values.other !== undefined) results.sizes.other = await sizes(values.other)
    if (withPeers) results.sizes.peers = await peerSizes()
    show('Sizes, minified and gzipped, in bytes', JSON.stringify(results.sizes, null, 2))
  }
  if (wanted.includes('herd')) {
    results.herd = herd((await simulated()).simulate)
    show('A herd of 10,000 clients', herdTable(results.herd))
  }
  const live = ['latency', 'recovery', 'loss'].some((name) => wanted.includes(name))
  const tools = live ? await forNode(values.client) : undefined
  const ancestor = values.ancestor !== undefined
  if (wanted.includes('latency')) {
    results.latency = await latency(browser, scripts, tools, ['bare', 'client', ...(ancestor ? ['ancestor'] : [])])
    show('Latency of long-polling, publish to callback', latencyTable(results.latency))
  }
  if (wanted.includes('heap')) {
    results.heap = await heap(browser, scripts, ['bare', 'client', ...extra])
    show('Heap over 1,000,000 messages, after garbage collection', heapTable(results.heap))
  }
  if (wanted.includes('recovery')) {
    results.recovery = await recovery(browser, scripts, tools, { rounds: Number(values.rounds), ancestor })
    show('Recovery: until a message that was published afterwards arrives', recoveryTable(results.recovery.times))
    show('First attempts of 50 clients', attemptsTable(results.recovery.herds))
  }
  if (wanted.includes('loss')) {
    results.loss = await loss(browser, scripts, tools, { ancestor, peers: withPeers })
    show('Lost of 2,000 messages at 200 a second', lossTable(results.loss))
  }
} finally {
  await browser.close()
}
await writeFile(join(root, 'bench/results.json'), `${JSON.stringify(results, null, 2)}\n`)
// Without all clients, the table would be another one.
if (results.loss && values.ancestor !== undefined && withPeers) await writeLoss(results.loss)
// The page is written only if all its sections were measured.
if (needed.every((name) => name in results)) await writePage(results)
