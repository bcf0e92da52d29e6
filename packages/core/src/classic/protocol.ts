import type { IncomingMessage } from '../message.js'
import { escaped } from '../protocols/form.js'
import type { DecoderEvents, Protocol, ProtocolFactory } from '../protocols/protocol.js'
import { type PushStreamSettings, pushStream } from '../protocols/push-stream.js'
import { messageTemplate } from '../protocols/template.js'
import type { ServerNames } from './names.js'
import { defaults } from './properties.js'
import { streamDecoder } from './streaming.js'

/** The beginning of a frame: of the template, or else of JSON with these keys. */
function beginning({ messageTemplate: template, ...settings }: PushStreamSettings): RegExp {
  if (template !== undefined) {
    return new RegExp(escaped((template.text.split(/~[a-z-]+~/)[0] as string).trim()).replace(/\s+/g, '\\s*'))
  }
  const keys = Object.entries({ ...defaults, ...settings }).filter(([name]) => name.startsWith('json'))
  return new RegExp(`\\{\\s*"(?:${keys.map(([, key]) => escaped(String(key))).join('|')})"\\s*:`)
}

/** Marks all but the last message of a poll's answer: each waits for what follows it. */
function batch(events: DecoderEvents): DecoderEvents & { flush(): void } {
  let waiting: IncomingMessage | undefined
  function flush() {
    const message = waiting
    waiting = undefined
    if (message !== undefined) events.message(message)
  }
  return {
    ...events,
    flush,
    message(message) {
      if (waiting !== undefined) waiting.last = false
      flush()
      waiting = message
    },
    deleted(channel, text) {
      flush()
      events.deleted(channel, text)
    },
    dead(raw, reason) {
      flush()
      events.dead(raw, reason)
    },
  }
}

/**
 * The module's protocol as its own script speaks it: the streaming location may have a template for an iframe, and
 * channels may have other names on the server than in the page.
 */
export function classicProtocol(settings: PushStreamSettings, names: ServerNames): ProtocolFactory {
  return (endpoint) => {
    // The page gets the names that the server gives.
    const naming = (_: readonly string[], events: DecoderEvents) => events
    const usual = pushStream(settings, naming)(endpoint)
    const begins = beginning(settings)
    let calling: Protocol | undefined
    const protocols = {
      usual,
      begins,
      calling(template: string) {
        calling = pushStream({ ...settings, messageTemplate: messageTemplate(template) }, naming)(endpoint)
        return calling
      },
    }
    return {
      ...usual,
      get guarantees() {
        return (calling ?? usual).guarantees
      },
      decoder(context, events) {
        const { kind, channels } = context
        const answer = kind === 'poll' || kind === 'longpolling' ? batch(events) : undefined
        const named = names.events(channels, answer ?? events)
        // Other modes have the usual template.
        if (kind !== 'poll') calling = undefined
        const decoder = kind === 'stream' ? streamDecoder(protocols, context, named) : usual.decoder(context, named)
        if (answer === undefined) return decoder
        return {
          ...decoder,
          finish() {
            decoder.finish()
            answer.flush()
          },
        }
      },
    }
  }
}
