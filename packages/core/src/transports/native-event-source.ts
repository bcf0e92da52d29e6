import type { CloseReason, Transport } from '../types.js'

/**
 * The browser's own EventSource, for pages whose policy needs it. It shows neither pings nor statuses. It misses named
 * events (`Event-Type`), which arrive with the next check of the connection.
 *
 * @example
 * ```ts
 * import { nativeEventSource, PushStream } from '@pushstream/core'
 *
 * const stream = new PushStream({ modes: [nativeEventSource, 'longpolling'] })
 * ```
 */
export const nativeEventSource: Transport = {
  name: 'eventsource',
  acceptedBy: 'byte',
  opaque: true,
  available: (environment) => environment.EventSource !== undefined,
  open(next, events, environment) {
    let source: EventSource | undefined
    let opened = false
    let closed = false
    const close = () => {
      closed = true
      source?.close()
    }
    const end = (reason: CloseReason) => {
      if (closed) return
      close()
      events.closed(reason)
    }
    next().then(
      ({ url, credentials }) => {
        if (closed) return
        source = new (environment.EventSource as typeof EventSource)(url, {
          withCredentials: credentials === 'include',
        })
        source.onopen = () => {
          opened = true
          events.open()
          events.activity()
        }
        source.onmessage = ({ data, lastEventId }: MessageEvent<string>) => {
          events.activity()
          events.frame(data, { id: lastEventId })
        }
        // Its own reconnection knows neither our position nor our back-off.
        source.onerror = () => end({ kind: opened ? 'end' : 'refused' })
      },
      (cause) => end({ kind: 'refused', cause }),
    )
    return { close }
  },
}
