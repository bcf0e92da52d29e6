import { type Answer, channelOf, type Job, mine, type Notification, type Progress } from './office.js'
import type { Server } from './settings.js'

const events = [
  'Invoice 2041 was paid',
  'Grace commented on your draft',
  'The nightly backup is complete',
  'Two people asked to join',
]
const people = ['Ada', 'Grace', 'Linus', 'Margaret']
const kinds = ['export', 'import', 'report', 'backup']

const any = (choice: readonly string[]) => choice[Math.floor(Math.random() * choice.length)] as string

/** Steps of a job, and how long each takes, in ms. */
const steps = 20
const pace = 200

/**
 * Does what the application's back end would do: publishes to the push server by POST. A page can only because this is a
 * playground: elsewhere the publisher's location is for the back end alone.
 */
export class Backend {
  readonly #base: string
  readonly #server: Server
  /** Tells this page's things from those of another. */
  readonly #page = Math.random().toString(36).slice(2, 6)
  #count = 0

  constructor(base: string, server: Server) {
    this.#base = base
    this.#server = server
  }

  /** Tells the user something; several things one after the other. */
  async notify(times = 1): Promise<void> {
    for (let n = 0; n < times; n++) {
      const id = this.#next()
      const text = times > 1 ? `${n + 1} of ${times} arrived` : (events[this.#count % events.length] as string)
      await this.#send(mine, { type: 'notification', id, text } satisfies Notification)
    }
  }

  /** Answers what the user asked for. */
  async answer(): Promise<void> {
    await this.#send(mine, { type: 'answer', text: 'Your report is ready to download.' } satisfies Answer)
  }

  /** Runs a job: says so to everybody, and how far it is to who follows it. */
  async run(): Promise<void> {
    const id = `${any(kinds)}-${this.#next()}`
    const by = any(people)
    const say = (state: Job['state']) => this.#send('jobs', { type: 'job', id, state, by } satisfies Job)
    // This page runs the job, so it ends with it.
    const left = () => void say('done')
    window.addEventListener('pagehide', left)
    try {
      await say('running')
      for (let done = 0; done <= steps; done++) {
        await this.#send(channelOf(id), { type: 'progress', done, of: steps } satisfies Progress)
        if (done < steps) await new Promise((resolve) => setTimeout(resolve, pace))
      }
      await say('done')
    } finally {
      window.removeEventListener('pagehide', left)
    }
  }

  #next(): string {
    return `${this.#page}-${++this.#count}`
  }

  async #send(channel: string, body: object): Promise<void> {
    const name = encodeURIComponent(channel)
    const text = JSON.stringify(body)
    const nchan = this.#server === 'nchan'
    const response = await fetch(`${this.#base}/pub${nchan ? `/${name}` : `?id=${name}`}`, {
      method: 'POST',
      // The push stream module puts it into its template as it comes: quotes would spoil the frame.
      body: nchan ? text : encodeURIComponent(text),
      // What is said when the page is left has to get out.
      keepalive: true,
    })
    if (!response.ok) throw new Error(`The server answered ${response.status}`)
  }
}

/** Does something of the back end's; resolves with what went wrong, for people. */
export async function tried(act: () => Promise<void>): Promise<string> {
  try {
    await act()
    return ''
  } catch (error) {
    return `That could not be published: ${(error as Error).message}`
  }
}
