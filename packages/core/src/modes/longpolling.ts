import { createParser } from 'eventsource-parser'
import type { Ending, Environment, Exchange } from '../types.js'
import { readBody, request, statusEnding } from './fetching.js'
import type { Mode, Sink } from './mode.js'

type PollSink = Pick<Sink, 'life' | 'frame' | 'answered'>

/** One poll: its text and what its headers say, or the ending it is. Rejects when the network does. */
export async function poll(
  exchange: Exchange,
  signal: AbortSignal,
  environment: Environment,
  sink: PollSink,
): Promise<Ending | undefined> {
  const response = await request(exchange, signal, environment)
  const { status, headers } = response
  if (status !== 200 && status !== 304 && status !== exchange.timeoutStatus) {
    response.body?.cancel().catch(() => {})
    return statusEnding(response, environment)
  }
  const type = headers.get('Content-Type') ?? ''
  if (exchange.framing === 'eventsource' && type.startsWith('text/event-stream')) {
    // An endless answer: whoever stands between did not pass on that a poll was meant.
    response.body?.cancel().catch(() => {})
    return { kind: 'invalid', explain: 'a stream instead of an answer' }
  }
  let text = ''
  await readBody(response, sink, (piece) => {
    text += piece
  })
  if (signal.aborted) return undefined
  if (exchange.framing === 'message') {
    if (status === 200) sink.frame(text, { headers })
  } else if (text !== '') {
    if (type.startsWith('text/html') && /^\s*<(!doctype|html)/i.test(text)) {
      return { kind: 'invalid', explain: 'an HTML page' }
    }
    if (exchange.framing === 'eventsource') {
      createParser({ onEvent: (event) => sink.frame(event.data, event) }).feed(text)
    } else sink.frame(text)
  }
  sink.answered({ status, headers })
  return undefined
}

/** Long-polling: the next request leaves when the answer before it has been taken in. */
export const longpolling: Mode = {
  name: 'longpolling',
  available: () => true,
  open(next, sink, environment) {
    const abort = new AbortController()
    let opened = false
    let ended = false
    const end = (ending: Ending) => {
      if (ended) return
      ended = true
      abort.abort()
      sink.end(ending)
    }
    const guarded: PollSink = {
      life: () => ended || sink.life(),
      frame: (text, meta) => ended || sink.frame(text, meta),
      answered(answer) {
        if (ended) return
        if (!opened) {
          opened = true
          sink.open()
        }
        sink.answered(answer)
      },
    }
    const run = async () => {
      while (!ended) {
        const exchange = await next()
        if (ended) return
        const { until } = exchange
        const one = new AbortController()
        const stop = () => one.abort()
        abort.signal.addEventListener('abort', stop)
        until?.addEventListener('abort', stop)
        if (until?.aborted) stop()
        try {
          const ending = await poll(exchange, one.signal, environment, guarded)
          if (ending !== undefined) end(ending)
        } catch (cause) {
          if (!until?.aborted) throw cause
        } finally {
          abort.signal.removeEventListener('abort', stop)
        }
      }
    }
    run().catch((cause) => end({ kind: opened ? 'lost' : 'refused', cause }))
    return {
      close() {
        ended = true
        abort.abort()
      },
    }
  },
}
