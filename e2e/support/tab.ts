import { expect, type Page } from '@playwright/test'
import { faults } from '../../packages/core/test/support/numbered.js'
import type { Recording, Seen, Start } from '../page/page.js'

/** How often a page is polled, in ms. */
const intervals = [50, 50, 100]

/** A page with a client. */
export class Tab {
  readonly page: Page
  readonly #origin: string

  constructor(page: Page, origin: string) {
    this.page = page
    this.#origin = origin
  }

  /** Loads the page. If it gets options, a client starts with the page. */
  async load(start?: Start, path = ''): Promise<this> {
    await this.page.goto(`${this.#origin}/${path}${start ? `?start=${encodeURIComponent(JSON.stringify(start))}` : ''}`)
    await this.page.waitForFunction(() => window.e2e !== undefined, undefined, { polling: 50 })
    return this
  }

  /** Starts a client in the loaded page. */
  async start(start: Start): Promise<void> {
    await this.page.evaluate((how) => window.e2e.start(how), start)
  }

  /** Loads the page, starts a client and waits until it is open. */
  async open(start: Start, timeout = 15_000): Promise<this> {
    await this.load()
    await this.start(start)
    await this.until('open', ({ status }) => status.state === 'open', timeout)
    return this
  }

  recording(): Promise<Recording> {
    return this.page.evaluate(() => window.e2e.client!.recording)
  }

  async messages(channel?: string): Promise<readonly Seen[]> {
    const { messages } = await this.recording()
    return channel === undefined ? messages : messages.filter((message) => message.channel === channel)
  }

  /** Waits until the recording matches. If it does not, it fails with the recording. */
  async until(what: string, holds: (recording: Recording) => boolean, timeout = 15_000): Promise<Recording> {
    let last: Recording | undefined
    try {
      await expect
        .poll(
          async () => {
            last = await this.recording()
            return holds(last)
          },
          { timeout, intervals },
        )
        .toBe(true)
    } catch (cause) {
      if (last === undefined) throw cause
      const { messages, all, ...rest } = last
      const tail = messages.slice(-3)
      throw new Error(
        `not within ${timeout} ms: ${what}. ${JSON.stringify({ ...rest, count: messages.length, tail, faults: faults(all) }, undefined, 2)}`,
      )
    }
    return last as Recording
  }

  /** Waits for this many messages. */
  received(count: number, timeout?: number): Promise<Recording> {
    return this.until(`${count} messages`, ({ messages }) => messages.length >= count, timeout)
  }
}
