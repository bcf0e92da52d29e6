// Chromium, and how it measures time.
import { chromium } from 'playwright-core'
import { find } from '../scripts/system.mjs'

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function launch() {
  const executablePath = process.env.PUSHSTREAM_CHROMIUM ?? find('chromium')
  if (executablePath === undefined) throw new Error('There is no Chromium: install it, or set PUSHSTREAM_CHROMIUM.')
  return chromium.launch({ executablePath, args })
}

/** An empty page in a process of its own, with these scripts. */
export async function freshPage(browser, url, scripts) {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.on('pageerror', (error) => console.error(`page: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      console.error(`page: ${message.text()}`)
  })
  await page.goto(url)
  for (const script of scripts) await page.addScriptTag(script)
  const session = await context.newCDPSession(page)
  return { page, session, close: () => context.close() }
}

export async function collectGarbage(session) {
  await session.send('HeapProfiler.collectGarbage')
}

/** Counts the thread's own CPU time, so that other load on the machine does not count. */
export async function startCounting(session) {
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
}

/** The time of scripts and of the whole main thread so far, in ms. */
export async function counted(session) {
  const { metrics } = await session.send('Performance.getMetrics')
  const ms = (name) => metrics.find((metric) => metric.name === name).value * 1000
  return { script: ms('ScriptDuration'), task: ms('TaskDuration') }
}

/** No counter includes script that runs when a stream's promise is fulfilled. Only a trace shows it. */
const traced = new Set(['RunMicrotasks', 'FunctionCall', 'EvaluateScript'])

/** The thread's own script time during `run`, in ms, from a trace. */
export async function traceScript(browser, page, run) {
  await browser.startTracing(page, { categories: ['-*', 'devtools.timeline', 'v8.execute'] })
  try {
    await run()
  } catch (error) {
    await browser.stopTracing()
    throw error
  }
  const trace = JSON.parse(await browser.stopTracing())
  const events = trace.traceEvents.filter((event) => traced.has(event.name) && event.ph === 'X')
  const perThread = new Map()
  for (const event of events) {
    const thread = `${event.pid} ${event.tid}`
    perThread.set(thread, [...(perThread.get(thread) ?? []), event])
  }
  const sums = [...perThread.values()].map((own) => {
    own.sort((a, b) => a.ts - b.ts || b.dur - a.dur)
    let until = Number.NEGATIVE_INFINITY
    let sum = 0
    for (const { ts, dur, tdur } of own) {
      if (ts < until) continue
      until = ts + dur
      sum += tdur ?? dur
    }
    return sum / 1000
  })
  return Math.max(0, ...sums)
}
