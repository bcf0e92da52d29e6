import type { CloseReason, ModeName } from '../types.js'
import { type Connected, connect } from './connect.js'
import { probeAll } from './probe.js'
import { publish } from './publish.js'
import { answeredBy, type Context, exchangeOf, fetchOf, pause, within } from './request.js'
import type { Attempt, Brought, Knock, Limits, Published, Seen } from './types.js'

/** What is looked at, besides what every diagnosis looks at. */
export interface Plan {
  /** The address of a publisher. */
  readonly publish: string | undefined
  /** How long connections are watched in silence, in ms. */
  readonly wait: number
  readonly limits: boolean
  readonly named: boolean
  readonly httpVersion: ((url: string) => Promise<string | undefined>) | undefined
}

/** How many texts are published while the connections are open. */
const texts = 3
/** What an accepted connection needs until it gets messages, in ms. A websocket may be refused after its handshake. */
const settling = 300
/** How long an answer or a message may take, in ms. */
const patience = 3000
/** A page's channels take at most this many characters of an address; with the rest of it. */
const lineLength = 6400
/** As many tabs as this are open at the same time. */
const tabs = 8

/** Whether a connection is of use: it was opened, or it hangs as a long-poll does that has nothing to bring. */
function works({ mode, opened, first, ended, answer, messages }: Attempt): boolean {
  if (ended && ['status', 'close', 'invalid', 'refused'].includes(ended.kind)) return messages.length > 0
  // An answer that began and does not end is none of a long-poll.
  if (mode === 'longpolling') return opened !== undefined || answer === undefined
  return mode === 'eventsource' ? first !== undefined : opened !== undefined || mode === 'stream'
}

/** Whether the first sign of an attempt has come, good or bad. */
const shows = ({ mode, opened, first, ended }: Attempt) =>
  ended !== undefined || (mode === 'eventsource' ? first : opened) !== undefined

/** Watches the connections: publishes, if there is a publisher, and then waits in silence for pings. */
async function watch(context: Context, plan: Plan, connected: readonly Connected[], published: Published[]) {
  const { environment } = context.settings
  await Promise.all(
    connected.map((one) =>
      one.until(shows, ['longpolling', 'stream'].includes(one.attempt.mode) ? settling : patience),
    ),
  )
  await pause(context, settling)
  if (plan.publish !== undefined) {
    for (let n = 1; n <= texts; n++) published.push(await publish(context, plan.publish, n))
    const last = published.at(-1)?.text
    await Promise.all(
      connected.map((one) => one.until(({ messages }) => messages.some(({ text }) => text === last), patience)),
    )
  }
  const silentFrom = environment.now()
  await Promise.all(connected.filter(({ attempt }) => works(attempt)).map((one) => one.until(() => false, plan.wait)))
  return environment.now() - silentFrom
}

/** Whether a long-poll that hangs reached the server, and a page may see that: by a request that is answered at once. */
async function reached(context: Context, { mode, answer, ended }: Attempt): Promise<boolean> {
  if (mode !== 'longpolling' || answer !== undefined || ended !== undefined) return true
  const { probe: method = 'HEAD' } = context.settings.protocol.capabilities
  const { url, headers, credentials } = await exchangeOf(context, mode)
  return (
    (await within(context, patience, (signal) =>
      fetchOf(context)(url, { method, headers, credentials, cache: 'no-store', signal }),
    )) !== undefined
  )
}

/** Asks the address of a mode that did not work, as a plain request. Whatever answers tells more than a websocket does. */
async function knock(context: Context, mode: ModeName): Promise<Knock> {
  const { settings } = context
  const { url, headers, credentials } = await exchangeOf(context, mode)
  const address = url.replace(/^ws/, 'http')
  const init = { credentials, cache: 'no-store' } as const
  const ask = (by: typeof fetch) =>
    within(context, patience, (signal) => by(address, { ...init, headers, signal }).then(answeredBy))
  const seen = await ask(fetchOf(context))
  const refused = ({ status }: { status: number }) => status === 401 || status === 403
  if (seen && refused(seen) && context.origin !== undefined && !context.enforced) {
    const free = await ask(settings.environment.fetch)
    if (!free || !refused(free)) return { ...seen, byOrigin: true }
  }
  if (seen) return seen
  // A page sees nothing of an answer that it may not read, but that there was one.
  const method = mode === 'longpolling' ? 'HEAD' : 'GET'
  const opaque = await within(context, patience, (signal) =>
    settings.environment.fetch(address, { ...init, method, mode: 'no-cors', signal }),
  )
  return opaque?.type === 'opaque' ? 'hidden' : opaque ? answeredBy(opaque) : 'nothing'
}

/** What a server takes at most. */
async function limitsOf(context: Context, working: readonly ModeName[]): Promise<Limits> {
  const asked = working.find((mode) => mode !== 'websocket') ?? 'websocket'
  const { url, headers, credentials } = await exchangeOf(context, asked)
  const address = `${url.replace(/^ws/, 'http')}${url.includes('?') ? '&' : '?'}_=`
  const length = lineLength
  const status = await within(context, patience, (signal) =>
    fetchOf(context)(address.padEnd(length, 'x'), { headers, credentials, cache: 'no-store', signal }).then(
      (answer) => answer.status,
    ),
  )
  // A page has six connections to an origin, and as good as any number of websockets.
  const mode = working.find((one) => one === 'websocket') ?? (context.enforced ? undefined : working[0])
  if (mode === undefined) return { line: { length, status } }
  const opened = Array.from({ length: tabs }, () => connect(context, mode))
  await Promise.all(opened.map((one) => one.until(shows, settling * 3)))
  await pause(context, settling)
  const refused = opened.find(({ attempt }) => attempt.ended !== undefined && !works(attempt))?.attempt.ended
  const took = opened.filter(({ attempt }) => attempt.ended === undefined).length
  for (const one of opened) one.close()
  return { line: { length, status }, connections: { opened: took, asked: tabs, refused: refused as CloseReason } }
}

/** The fields of the message template that none of the messages had. */
function lacksOf({ settings }: Context, messages: readonly Brought[], attempts: readonly Attempt[], own: boolean) {
  const read = messages.filter(({ dead }) => dead === undefined)
  if (read.length === 0) return undefined
  // An event stream tells the event id in a field of its own.
  const byTemplate = attempts
    .filter(({ mode }) => mode !== 'eventsource')
    .flatMap(({ messages: brought }) => brought.filter(({ eventId }) => own || eventId !== undefined))
  const lacks: [string, boolean][] = [
    ['~id~', read.every(({ id }) => id === undefined)],
    ['~channel~', settings.protocol.capabilities.channelsPerConnection === 1],
    ['~tag~', read.every(({ tag }) => tag === undefined)],
    ['~time~', read.every(({ position }) => !(position > 0))],
    ['~event-id~', own && byTemplate.length > 0 && byTemplate.every(({ eventId }) => eventId === undefined)],
  ]
  return lacks.filter(([, missing]) => missing).map(([token]) => token)
}

/** Observes a server. Never rejects for what the server does. */
export async function observe(context: Context, plan: Plan): Promise<Seen> {
  const { settings, origin, include, enforced } = context
  const { environment, protocol, transports } = settings
  const { location } = environment
  const unavailable = transports.filter((one) => !one.available(environment)).map(({ name }) => name)
  const modes = transports.map(({ name }) => name)
  const published: Published[] = []
  // A channel that exists only once something was published to it.
  if (plan.publish !== undefined) published.push(await publish(context, plan.publish, 0))
  let blocked = false
  const unblock = environment.page?.onBlocked?.(() => {
    blocked = true
  })
  const connected = modes.filter((mode) => !unavailable.includes(mode)).map((mode) => connect(context, mode))
  const waited = await watch(context, plan, connected, published)
  for (const one of connected) one.close()
  const attempts = connected.map(({ attempt }) => attempt)
  const good = await Promise.all(attempts.map(async (one) => works(one) && (await reached(context, one))))
  const failed = attempts.filter((_, n) => !good[n])
  const knocks = Object.fromEntries(
    await Promise.all(failed.map(async ({ mode }) => [mode, await knock(context, mode)] as const)),
  )
  unblock?.()
  const working = attempts.filter((_, n) => good[n])
  const names = working.map(({ mode }) => mode)
  const { probes, known } = await probeAll(context, names, attempts, published)
  return {
    modes,
    unavailable,
    attempts,
    knocks,
    published: plan.publish === undefined ? undefined : published,
    probes,
    known: known.length,
    lacks:
      protocol.guarantees.gaps === 'possible' ? undefined : lacksOf(context, known, attempts, published.length > 0),
    limits: plan.limits && names.length > 0 ? await limitsOf(context, names) : undefined,
    waited,
    origin,
    include,
    enforced,
    blocked,
    page: location && { protocol: location.protocol, hostname: location.hostname, port: location.port },
    http: working[0] && (await plan.httpVersion?.(working[0].url)),
    named: plan.named,
  }
}
