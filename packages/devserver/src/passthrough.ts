import { type IncomingHttpHeaders, type IncomingMessage, request as startHttp } from 'node:http'
import { request as startHttps } from 'node:https'

/** Headers of the connection, not of the request. */
const OWN = /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-.*|sec-websocket-.*)$/

/** How long the application may take to answer, ms. */
const PATIENCE = 10_000

/** What the application is told. */
type Action = 'subscribe' | 'unsubscribe'

/**
 * Tells the application who subscribes and who leaves: a POST of `channel_id` and `subscribe=1` or `unsubscribe=1`, with
 * the headers that the subscriber sent, cookies too. They are sent one after the other, so the last one is true.
 */
export class Passthrough {
  readonly #url: URL
  readonly #stop = new AbortController()
  #last: Promise<unknown> = Promise.resolve()

  constructor(url: string) {
    this.#url = checkPassthrough(url)
  }

  /**
   * Asks the application whether someone may subscribe. Resolves with the status by which it refuses one of the channels,
   * else with `undefined`; what it accepted before that is taken back. `closed` calls back when the subscriber is gone.
   */
  async subscribe(
    { headers }: IncomingMessage,
    channels: readonly string[],
    closed: (gone: () => void) => void,
  ): Promise<number | undefined> {
    const told: string[] = []
    let gone = false
    const leave = () => {
      gone = true
      for (const channel of told.splice(0)) void this.#tell('unsubscribe', channel, headers)
    }
    closed(leave)
    for (const channel of channels) {
      const status = await this.#tell('subscribe', channel, headers)
      if (status >= 400 && status < 500) {
        leave()
        return status
      }
      told.push(channel)
      if (gone) leave()
    }
    return undefined
  }

  /** Ends what is under way. */
  close(): void {
    this.#stop.abort()
  }

  #tell(action: Action, channel: string, headers: IncomingHttpHeaders): Promise<number> {
    const told = this.#last.then(() => this.#post(new URLSearchParams({ channel_id: channel, [action]: '1' }), headers))
    this.#last = told
    return told
  }

  /** Resolves with the status; with 0 if there is no answer, as an application that is down is not to end a page. */
  #post(form: URLSearchParams, headers: IncomingHttpHeaders): Promise<number> {
    const body = form.toString()
    const kept = Object.entries(headers).filter(([name, value]) => !OWN.test(name) && value !== undefined)
    const options = {
      method: 'POST',
      signal: this.#stop.signal,
      timeout: PATIENCE,
      headers: {
        ...Object.fromEntries(kept),
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
      },
    }
    return new Promise((resolve) => {
      const failed = (why: string) => {
        if (!this.#stop.signal.aborted) process.emitWarning(`passthrough ${this.#url.href}: ${why}`)
        resolve(0)
      }
      const start = this.#url.protocol === 'https:' ? startHttps : startHttp
      const request = start(this.#url, options, (response) => {
        response.resume()
        const { statusCode = 0 } = response
        if (statusCode >= 500) failed(`status ${statusCode}`)
        else resolve(statusCode)
      })
      request.on('timeout', () => request.destroy(new Error(`no answer within ${PATIENCE} ms`)))
      request.on('error', ({ message }) => failed(message))
      request.end(body)
    })
  }
}

/** The address, or an error that says what is wrong with it. */
function checkPassthrough(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new Error(`"passthrough" must be an address of http or https, not ${JSON.stringify(url)}`)
  }
  return parsed
}
