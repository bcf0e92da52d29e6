// Writes docs/performance.md, and its drawings, from the results.
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../scripts/workspace.mjs'
import { charts } from './charts.mjs'
import { table } from './figures.mjs'
import { herdPage } from './herd.mjs'

/** The sections that the page needs. */
export const needed = ['speed', 'scale', 'heap', 'sizes', 'herd']

const earlier = join(root, 'bench/before.json')

/** Figures by name. A ratio is the script time of `contender`, divided by that of another one for the same work. */
function figures({ speed, scale, heap, sizes }, contender) {
  const script = (transport, variant, who) =>
    speed.find((one) => one.transport === transport && one.variant === variant && one.contender === who)?.script
  const against = (transport, variant, who = 'bare') =>
    ratio(script(transport, variant, contender), script(transport, variant, who))
  const scaled = (key, many, few) => {
    const of = (count) => scale.find((one) => one.contender === contender && one.scale[key] === count && fits(one, key))
    return ratio(of(many)?.script, of(few)?.script)
  }
  return {
    'fake websocket, text': against('fake', 'quoted'),
    'fake websocket, raw JSON': against('fake', 'raw'),
    'websocket, text': against('websocket', 'quoted'),
    'websocket, raw JSON': against('websocket', 'raw'),
    "eventsource, text, to the platform's": against('eventsource', 'quoted', 'native EventSource'),
    'eventsource, text, to fetch': against('eventsource', 'quoted'),
    'long-poll answers of 1,000, text': against('longpolling', 'quoted'),
    'long-poll answers of 1,000, raw JSON': against('longpolling', 'raw'),
    '1,000 channels with a processor each, to one': scaled('channels', 1000, 1),
    '1,000 types with a processor each, to two': scaled('types', 1000, 2),
    'heap, bytes a message': heap.find((one) => one.contender === contender)?.bytesPerMessage.toFixed(3),
    ...Object.fromEntries(
      Object.entries(sizes[contender] ?? {}).map(([name, size]) => [`\`${name}\`, bytes`, `${size}`]),
    ),
  }
}

/** Whether a row varies only this key. */
const fits = ({ scale }, key) => (key === 'channels' ? scale.types === 1 : scale.channels === 1 && scale.types > 1)

const ratio = (value, base) => (value === undefined || base === undefined ? undefined : (value / base).toFixed(2))

const aims = {
  'fake websocket, text': '1.6',
  'websocket, text': '1.15',
  "eventsource, text, to the platform's": '1.3',
  'long-poll answers of 1,000, text': '1.5',
  '1,000 channels with a processor each, to one': '1',
  '1,000 types with a processor each, to two': '1',
}

/** The clients with the same body, fastest first. */
function clients({ speed, sizes }) {
  const of = (variant) => speed.filter((one) => one.transport === 'fake' && one.variant === variant)
  const raw = new Map(of('raw').map((one) => [one.contender, one]))
  const names = { client: '@pushstream/core', other: '@pushstream/core before', ancestor: 'pushstream.js' }
  const sizeOf = (name) => {
    if (name === 'client' || name === 'other') return `${sizes[name]?.PushStream ?? ''}`
    const found = Object.entries(sizes.peers ?? {}).find(([peer]) => peer.startsWith(`${name} `))
    return found === undefined ? '' : `${found[1]}`
  }
  const versioned = (name) => Object.keys(sizes.peers ?? {}).find((peer) => peer.startsWith(`${name} `)) ?? name
  const cells = (one) => (one === undefined ? ['', ''] : [one.script.toFixed(2), one.ratio.toFixed(2)])
  const rows = of('quoted')
    .toSorted((a, b) => a.script - b.script)
    .map((one) => [
      names[one.contender] ?? versioned(one.contender),
      ...cells(one),
      ...cells(raw.get(one.contender)),
      sizeOf(one.contender),
    ])
  const measured = new Set(speed.map(({ contender }) => contender))
  for (const [name, size] of Object.entries(sizes.peers ?? {})) {
    if (!measured.has(name.slice(0, name.lastIndexOf(' ')))) rows.push([name, '', '', '', '', `${size}`])
  }
  const heads = ['client', 'text, µs', 'ratio', 'raw JSON, µs', 'ratio', 'bytes']
  const known = heads.map((_, i) => rows.some((row) => row[i] !== ''))
  const pick = (cells) => cells.filter((_, i) => known[i])
  return table(pick(heads), rows.map(pick))
}

/** Writes the page. The figures of the earlier version are from this run, or from the last one that measured them. */
export async function writePage(results) {
  const { date, machine, versions, load, warm, messages, speed } = results
  if (speed.some(({ contender }) => contender === 'other')) {
    await writeFile(earlier, `${JSON.stringify(figures(results, 'other'), null, 2)}\n`)
  }
  const before = existsSync(earlier) ? JSON.parse(await readFile(earlier, 'utf8')) : {}
  const measured = Object.entries(figures(results, 'client')).filter(([, now]) => now !== undefined)
  const rows = measured.map(([name, now]) => [name, before[name] ?? '', now, aims[name] ?? ''])
  const page = `# Performance

\`npm run bench\` writes this page. [bench/README.md](../bench/README.md) says what is measured, and how.

${date.slice(0, 10)}, ${machine}, Chromium ${versions.chromium}, Node ${versions.node.slice(1)}.
Medians of ${speed[0].runs.length} interleaved rounds, ${messages} messages a run after ${warm} to warm up. When it began, the
load average was ${load.toFixed(0)}: other programs used the machine too where that is more than 1.

## Before and after

Ratios are script time per message. They compare the client to the bare transport, which passes each message through
\`JSON.parse\` to one function, unless the row names something else.

${table(['figure', 'before', 'now', 'aim'], rows)}

## Clients on the same message

All of them receive the same body on a websocket that the page itself feeds, in the frames of their own servers. Bytes
are what an application ships of each, minified and gzipped. \`bare\` is \`socket.onmessage\`, \`JSON.parse\` and the call.

![Script time per message of each client, as in the table below](performance-time.svg)

![Size of each client, as in the table below](performance-size.svg)

${clients(results)}

pusher-js and socket.io-client know no order and no loss. centrifuge and \`@anycable/web\` keep the last offset.

${herdPage(results.herd)}
`
  const drawings = Object.entries(charts(page))
  for (const [name, text] of [['performance.md', page], ...drawings]) await writeFile(join(root, 'docs', name), text)
}
