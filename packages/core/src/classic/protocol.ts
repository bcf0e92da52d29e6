import type { IncomingMessage } from '../message.js'
import type { DecoderEvents, Protocol, ProtocolFactory } from '../protocols/protocol.js'
import { type PushStreamSettings, pushStream } from '../protocols/push-stream.js'
import { escaped, messageTemplate } from '../protocols/template.js'
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

/** Marks all but the last message of a poll's answer. None is delivered before the answer is complete. */
function batch(events: DecoderEvents): DecoderEvents {
  let before: IncomingMessage | undefined
  return {
    ...events,
    message(message) {
      if (before !== undefined) before.last = false
      before = message
      events.message(message)
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
      get promises() {
        return (calling ?? usual).promises
      },
      decoder(context, events) {
        const named = names.events(context.channels, context.kind === 'poll' ? batch(events) : events)
        // Other modes have the usual template.
        if (context.kind !== 'poll') calling = undefined
        return context.kind === 'stream' ? streamDecoder(protocols, context, named) : usual.decoder(context, named)
      },
    }
  }
}
