import type { Ending, Environment } from '../types.js'
import { readBody, request, statusEnding } from './fetching.js'
import type { NextExchange, Sink, Transport } from './mode.js'

/** One long response over fetch: what eventsource and stream have in common. */
export function openStreaming(
  next: NextExchange,
  sink: Sink,
  environment: Environment,
  accepts: (contentType: string) => boolean,
  reader: () => (piece: string) => void,
): Transport {
  const abort = new AbortController()
  let ended = false
  const end = (ending: Ending) => {
    if (ended) return
    ended = true
    sink.end(ending)
  }
  const run = async () => {
    const response = await request(await next(), abort.signal, environment)
    if (ended) return
    if (response.status !== 200) {
      end(statusEnding(response, environment))
      abort.abort()
      return
    }
    const type = response.headers.get('Content-Type') ?? ''
    if (!accepts(type)) {
      end({ kind: 'invalid', explain: `Content-Type ${type}` })
      abort.abort()
      return
    }
    opened = true
    sink.open()
    const feed = reader()
    await readBody(response, { life: () => ended || sink.life() }, (piece) => ended || feed(piece))
    end({ kind: 'end' })
  }
  let opened = false
  run().catch((cause) => end({ kind: opened ? 'lost' : 'refused', cause }))
  return {
    close() {
      ended = true
      abort.abort()
    },
  }
}
