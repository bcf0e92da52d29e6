import { createParser } from 'eventsource-parser'
import type { Mode } from './mode.js'
import { openStreaming } from './streaming.js'

/** Server-Sent Events over fetch: only so are pings seen, headers sent and statuses read. */
export const eventsource: Mode = {
  name: 'eventsource',
  available: () => true,
  open: (next, sink, environment) =>
    openStreaming(
      next,
      sink,
      environment,
      (type) => type.startsWith('text/event-stream'),
      () => {
        let heard = false
        const parser = createParser({
          onEvent(event) {
            heard = true
            sink.frame(event.data, event)
          },
          onComment(comment) {
            heard = true
            sink.pulse(comment)
          },
        })
        return (piece) => {
          heard = false
          parser.feed(piece)
          // An event without data is none: a ping, as some servers send it.
          if (!heard && piece.endsWith('\n\n')) sink.pulse('')
        }
      },
    ),
}

/**
 * The browser's own EventSource, for pages whose policy needs it. It shows neither pings nor statuses, and named events
 * (`Event-Type`) pass it by: the audit finds those.
 */
export const nativeEventsource: Mode = {
  name: 'eventsource',
  available: (environment) => environment.EventSource !== undefined,
  open(next, sink, environment) {
    let source: EventSource | undefined
    let ended = false
    next().then(
      (exchange) => {
        if (ended) return
        const Native = environment.EventSource as typeof EventSource
        source = new Native(exchange.url, { withCredentials: exchange.credentials === 'include' })
        let opened = false
        source.onopen = () => {
          opened = true
          sink.open()
          sink.life()
        }
        source.onmessage = (event: MessageEvent<string>) => {
          sink.life()
          sink.frame(event.data, { id: event.lastEventId })
        }
        source.onerror = () => {
          // Its own reconnection knows neither our position nor our back-off.
          source?.close()
          ended = true
          sink.end({ kind: opened ? 'end' : 'refused' })
        }
      },
      (cause) => ended || sink.end({ kind: 'refused', cause }),
    )
    return {
      close() {
        ended = true
        source?.close()
      },
    }
  },
}
