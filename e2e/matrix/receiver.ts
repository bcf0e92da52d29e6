import type { Browser, Page } from '@playwright/test'
import type { ModeName } from '@pushstream/core'
import type { Recording, Start } from '../page/page.js'
import { watch } from '../support/watch.js'
import type { Event, Sent } from './accounting.js'

interface Notes {
  readonly events: Event[]
  /** The highest number of each channel. */
  readonly highest: Record<string, number>
}

declare global {
  interface Window {
    /** What the client of this page told, with times. */
    matrix: Notes
  }
}

/** A page of its own browser context, so that no page uses up another's connections, with a client in it. */
export class Receiver {
  readonly mode: ModeName
  readonly #page: Page

  private constructor(mode: ModeName, page: Page) {
    this.mode = mode
    this.#page = page
  }

  /** Resolves when the client is open. */
  static async open(browser: Browser, mode: ModeName, address: string, start: Start): Promise<Receiver> {
    const context = await browser.newContext()
    await context.addInitScript(watch)
    const page = await context.newPage()
    await page.goto(address)
    await page.waitForFunction(() => window.e2e !== undefined, undefined, { polling: 50 })
    await page.evaluate((how) => {
      const events: Event[] = []
      const highest: Record<string, number> = {}
      window.matrix = { events, highest }
      window.e2e.start(how)
      const { stream } = window.e2e.client!
      stream.on('message', ({ channel, data }) => {
        const { n } = data as { n: number }
        events.push({ kind: 'message', channel, n, at: Date.now() })
        highest[channel] = Math.max(highest[channel] ?? -1, n)
      })
      stream.on('gap', ({ channel, first, last, reason }) =>
        events.push({ kind: 'gap', channel, first, last, reason, at: Date.now() }),
      )
    }, start)
    const receiver = new Receiver(mode, page)
    const open = () => window.e2e.client!.recording.status.state === 'open'
    await page.waitForFunction(open, undefined, { polling: 50, timeout: 20_000 }).catch(async (cause) => {
      throw new Error(`${mode} did not open: ${await receiver.state()}`, { cause })
    })
    return receiver
  }

  /** Resolves with whether something as new as this came, at once or within so many ms. */
  async has({ channel, n }: Pick<Sent, 'channel' | 'n'>, timeout: number): Promise<boolean> {
    const came = ([on, number]: [string, number]) => (window.matrix.highest[on] ?? -1) >= number
    return this.#page
      .waitForFunction(came, [channel, n] as [string, number], { polling: 50, timeout })
      .then(() => true)
      .catch(() => false)
  }

  events(): Promise<Event[]> {
    return this.#page.evaluate(() => window.matrix.events)
  }

  /** Errors and rejections that nobody handled, violations of the page's policy. */
  troubles(): Promise<string[]> {
    return this.#page.evaluate(() => window.watched.troubles)
  }

  /** How the client is, for people. */
  async state(): Promise<string> {
    const state = await this.#page.evaluate(() => {
      const { status, stats, errors, deadletters, states }: Recording = window.e2e.client!.recording
      return {
        status,
        stats,
        errors: errors.slice(-5),
        deadletters: deadletters.slice(0, 5),
        states: states.slice(-40).join(' '),
      }
    })
    return JSON.stringify(state)
  }

  async close(): Promise<void> {
    await this.#page.context().close()
  }
}
