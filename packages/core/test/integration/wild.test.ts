import { type ModeName, messageTemplate, nchan, type Options } from '@pushstream/core'
import { describe, expect, type TestContext, test } from 'vitest'
import WebSocket from 'ws'
import { type Body, bodyOf } from '../../../../e2e/nginx/wild/bodies.js'
import { corpus } from '../../../../e2e/nginx/wild/corpus.js'
import { type Fate, startOf, type Wild } from '../../../../e2e/nginx/wild/wild.js'
import { lacking } from '../../../../e2e/support/programs.js'
import { missingWild, type Runner, startWild, type WildSite } from '../../../../e2e/support/wild.js'
import { isGap } from './nchan-support.js'
import { type Recording, record } from './support.js'

// Every configuration of e2e/nginx/wild in every mode that it has: 50 hostile messages while the connection is cut, the
// server reloads, and restarts.

// No one signed the certificates of tests. Node's fetch takes no other word for it.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'

/** Something that was published. `lost`: whether it may be missing; `gap`: only behind a `gap`. */
interface Published extends Pick<Body, 'channel' | 'text'> {
  readonly lost: 'never' | 'gap' | 'maybe'
}

/** JSON may come in another layout. */
function normal(text: string, { bodies }: Wild): string {
  try {
    return bodies === 'json' ? JSON.stringify(JSON.parse(text)) : text
  } catch {
    return text
  }
}

class Journey {
  readonly wild: Wild
  readonly mode: ModeName
  readonly site: WildSite
  readonly recording: Recording
  readonly published: Published[] = []
  readonly deadletters: string[] = []
  /** Where the client's requests went, as it made them. */
  readonly asked: string[] = []
  #n = 0
  #probes = 0

  constructor(wild: Wild, mode: ModeName, site: WildSite, atEnd: (end: () => void) => void) {
    this.wild = wild
    this.mode = mode
    this.site = site
    this.recording = record(this.#options(), atEnd)
    this.recording.stream.on('deadletter', ({ reason, raw }) =>
      this.deadletters.push(`${reason}: ${raw.slice(0, 200)}`),
    )
  }

  #options(): Options {
    const { options, protocol } = startOf(this.wild, this.mode, this.site.url)
    const { messageTemplate: template, messagesPublishedAfter: _, ...given } = options
    // As a browser says it, for a page that is elsewhere.
    const origin = this.wild.elsewhere && this.site.pages
    const asked = (url: unknown) => this.asked.push(String(url).replace(/^(?:http|ws)s?:\/\/[^/]+/, ''))
    return {
      ...given,
      ...(template !== undefined && { messageTemplate: messageTemplate(template) }),
      ...(protocol?.name === 'nchan' && { protocol: nchan(protocol) }),
      environment: {
        fetch: (url, init) => {
          asked(url)
          return fetch(url, { ...init, headers: { ...init?.headers, ...(origin && { origin }) } })
        },
        WebSocket: class extends WebSocket {
          constructor(url: string, protocols?: string | string[]) {
            super(url, protocols, origin ? { origin } : {})
            asked(url)
          }
        } as unknown as typeof globalThis.WebSocket,
      },
    }
  }

  async #publish({ channel, sent }: Pick<Body, 'channel' | 'sent'>): Promise<void> {
    const status = await this.site.publish(
      channel,
      sent,
      this.wild.events && { 'Event-Type': 'kind', 'Event-Id': `e${this.#n}` },
    )
    expect([200, 201, 202], `publishing to ${channel}`).toContain(status)
  }

  #came({ channel, text }: Pick<Body, 'channel' | 'text'>): boolean {
    const { messages } = this.recording
    return messages.some((message) => message.channel === channel && normal(message.text, this.wild) === text)
  }

  /** What may be lost although the connection works. */
  get #lost(): Published['lost'] {
    return this.mode === 'longpolling' ? (this.wild.between ?? 'never') : 'never'
  }

  /** Publishes the next hostile messages. `lost`: whether they may be. */
  async publish(count: number, lost = this.#lost): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { text, ...body } = bodyOf(this.wild, this.mode, this.#n++)
      const published = { channel: body.channel, text: normal(text, this.wild), lost }
      this.published.push(published)
      await this.#publish(body)
      // Bodies alone follow each other in an answer without anything between them. One that may be lost may not come.
      if (this.wild.status.gaps !== 'none' || lost === 'gap') continue
      const came = this.recording.until(() => this.#came(published), lost === 'never' ? 15_000 : 2000)
      await (lost === 'never' ? came : came.catch(() => {}))
    }
  }

  /** Waits until the last message of every channel came. */
  async complete(): Promise<void> {
    if (this.#lost !== 'never') await this.heard(this.#lost)
    const last = new Map(this.published.map((published) => [published.channel, published]))
    await this.recording
      .until(() => [...last.values()].every((published) => this.#came(published)))
      .catch((error) => {
        throw new Error(`${error}\nThe last requests: ${this.asked.slice(-8).join(' ')}`)
      })
  }

  /** Publishes on every channel until what came last does: the connection works, where what was missed is lost. */
  async heard(lost: Published['lost']): Promise<void> {
    // Two that come together may be one text.
    const patience = this.wild.status.gaps === 'none' ? 2000 : 200
    for (const channel of this.wild.channels) {
      let came = false
      for (let tries = 0; !came && tries < 100; tries++) {
        const text = `{"probe":${this.#probes++}}`
        this.published.push({ channel, text, lost })
        await this.#publish({ channel, sent: this.wild.bodies === 'encoded' ? encodeURIComponent(text) : text })
        // One before it may come now: that says nothing of this one.
        const arrival = this.recording.until(() => this.#came({ channel, text }), patience)
        came = await arrival.then(
          () => true,
          () => false,
        )
      }
    }
  }

  /** Ten messages around an outage: some while it lasts, if they are not lost without a word. */
  async through(fate: Fate, outage: () => unknown): Promise<void> {
    await outage()
    if (fate !== 'unseen') await this.publish(5, fate === 'gap' ? 'gap' : this.#lost)
    if (fate !== 'all') await this.heard(fate === 'gap' ? 'gap' : 'maybe')
    await this.publish(fate === 'unseen' ? 10 : 5)
    await this.complete()
  }

  /** The server restarts. Channels that have to be there before they are subscribed are made while nobody can ask. */
  async restart(): Promise<void> {
    // Times on the wire are whole seconds: no server restarts and publishes within the one of its last message.
    const second = Math.floor(Date.now() / 1000)
    await this.recording.until(() => Math.floor(Date.now() / 1000) > second)
    const { created, channels } = this.wild
    if (!created) return this.site.restart()
    await this.site.proxy.refuse(true)
    this.site.proxy.cut()
    await this.site.restart()
    for (const channel of channels) await this.#publish({ channel, sent: 'made' })
    for (const channel of channels) this.published.push({ channel, text: 'made', lost: 'gap' })
    await this.site.proxy.refuse(false)
  }

  /** What is wrong with what came. Empty when nothing is. */
  get faults(): string[] {
    const found: string[] = []
    for (const channel of this.wild.channels) {
      const published = this.published.filter((one) => one.channel === channel)
      let next = 0
      let gap = false
      for (const event of this.recording.all) {
        if (event.channel !== channel) continue
        if (isGap(event)) {
          gap = true
          continue
        }
        const text = normal(event.text, this.wild)
        const at = published.findIndex((one) => one.text === text)
        if (at < 0) found.push(`${channel}: ${JSON.stringify(text.slice(0, 200))} was never published`)
        else if (at < next) found.push(`${channel}: number ${at} after ${next - 1}, doubled or out of order`)
        const missing = published.slice(next, at).filter(({ lost }) => lost === 'never' || (lost === 'gap' && !gap))
        for (const { text, lost } of missing) found.push(`${channel}: lost (${lost}): ${text.slice(0, 100)}`)
        next = Math.max(next, at + 1)
        gap = false
      }
      if (next < published.length) found.push(`${channel}: ${published.length - next} at the end did not come`)
    }
    return found
  }

  /** Requests that are not for the location of the mode. */
  get beside(): string[] {
    const { mode, wild, site } = this
    const begin = wild.modes[mode] as string
    const wire = wild.tls ? [] : site.proxy.requests
    const foreign = wire.filter(({ path, upgrade }) => !path.startsWith(begin) || upgrade !== (mode === 'websocket'))
    return [...foreign.map(({ path }) => path), ...this.asked.filter((path) => !path.startsWith(begin))]
  }
}

async function journey(wild: Wild, mode: ModeName, runner: Runner, { onTestFinished }: TestContext) {
  const site = await startWild(wild, runner)
  onTestFinished(() => site.close())
  // What must exist to be subscribed, and is not asked for.
  if (wild.created) for (const channel of wild.channels) await site.publish(channel, 'before')
  const trip = new Journey(wild, mode, site, onTestFinished)
  const { stream, gaps, errors, until } = trip.recording
  for (const channel of wild.channels) stream.addChannel(channel)
  stream.connect()
  await until(() => stream.status.state === 'open')

  // A channel counts from its first message. And the first one of all shows the template: where it names no channel, each
  // needs a connection of its own.
  if (wild.between || wild.status.gaps === 'none') await trip.heard('maybe')
  await trip.publish(20)
  await trip.complete()
  if (wild.server === 'push-stream') expect(await site.publish(wild.channels[0] as string, '')).toBe(400)
  const { resume, gaps: seen } = stream.status
  if (wild.refused) {
    stream.addChannel(wild.refused[0])
    await until(() => errors.some(({ channel }) => channel === wild.refused?.[0]))
  }

  /** The gaps that an outage brings. */
  const around = async (fate: Fate, outage: () => unknown) => {
    const before = gaps.length
    await trip.through(fate, outage)
    return gaps.slice(before).map(({ reason }) => reason)
  }
  const found = [
    await around(wild.cut, () => site.proxy.cut()),
    await around(wild.reload, () => site.reload()),
    await around(wild.restart, () => trip.restart()),
  ]
  const promised = [wild.cut, wild.reload, wild.restart].map((fate, i) => (fate === 'gap' ? found[i] : []))
  // Where messages have no numbers, one that comes at once hides that the store is empty.
  const reasons = wild.status.gaps === 'exact' ? /^restart$/ : /^(restart|overflow)$/
  if (wild.restart === 'gap') expect(found[2]).toContainEqual(expect.stringMatching(reasons))
  expect(found).toEqual(wild.between === 'gap' ? found : promised)
  // Between two long-polls a message may be lost. Most are not.
  expect(stream.stats.received).toBeGreaterThan(trip.published.length / 2)
  return { trip, status: { resume, gaps: seen } }
}

function suite(wild: Wild, runner: Runner): void {
  const missing = lacking(missingWild(wild, runner))
  const title = wild.case === undefined ? wild.name : `case ${wild.case}: ${wild.name}`
  for (const mode of Object.keys(wild.modes) as ModeName[]) {
    const broken = wild.broken?.[mode]
    // A fault that is known: once it is mended, this fails until the mark is gone.
    const options = { concurrent: true, skip: missing !== undefined, fails: broken !== undefined }
    const promised = broken === undefined ? 'as promised' : `not yet as promised: ${broken}`
    test(`${title}, ${mode}: each message once and in order, or a gap, ${promised}`, options, async (context) => {
      const { trip, status } = await journey(wild, mode, runner, context)
      const { errors, stream, messages } = trip.recording
      expect(trip.faults).toEqual([])
      expect(trip.deadletters).toEqual([])
      expect(trip.beside).toEqual([])
      expect(status).toEqual(wild.status)
      expect(errors.flatMap(({ channel, code }) => (channel === undefined ? [] : [[channel, code]]))).toEqual(
        wild.refused ? [wild.refused] : [],
      )
      expect(stream.channels).toEqual(wild.channels)
      if (wild.events) expect(messages.map(({ type }) => type)).toContain('kind')
      expect(trip.site.nginx.crashes).toEqual([])
    })
  }
}

for (const wild of corpus.filter(({ server }) => server === 'nchan')) suite(wild, 'nginx')

const pushStream = corpus.filter(({ server }) => server === 'push-stream')
describe('the development server in the place of the module', () => {
  for (const wild of pushStream) suite(wild, 'development server')
})
describe('the module', () => {
  for (const wild of pushStream) suite(wild, 'nginx')
})
