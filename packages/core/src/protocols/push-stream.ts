import { numbered } from '../delivery/order.js'
import type { TemplateKeys } from './form.js'
import { checkName, refuse } from './names.js'
import type { ProtocolFactory } from './protocol.js'
import { classify, positionIn } from './push-stream-answers.js'
import { createDecoder } from './push-stream-decoder.js'
import { Frames } from './push-stream-frames.js'
import { requestsOf } from './push-stream-requests.js'
import type { PushStreamSettings } from './push-stream-settings.js'
import { type Naming, namedBy } from './renamed.js'
import { textReader } from './text.js'

export type { PushStreamSettings }

const fields = ['Id', 'Channel', 'Text', 'Tag', 'Time', 'EventId'] as const

function keysOf(settings: PushStreamSettings): TemplateKeys {
  const pairs = fields.map((name) => [name.toLowerCase(), settings[`json${name}Key`] ?? name.toLowerCase()])
  return Object.fromEntries(pairs)
}

/** The protocol of nginx-push-stream-module. */
export const pushStream =
  (settings: PushStreamSettings, naming?: Naming): ProtocolFactory =>
  (endpoint) => {
    /** The server gives channels other names. */
    let renames = false
    const named =
      naming ??
      namedBy(() => {
        renames = true
      })
    const { messageTemplate: template } = settings
    const { createSplitter } = template ?? {}
    const frames = new Frames(keysOf(settings), template, textReader(settings.text ?? 'auto'))

    return {
      ...requestsOf(settings, endpoint),
      capabilities: {
        modes: ['websocket', 'eventsource', 'stream', 'longpolling'],
        // A frame that doesn't say which channel it is of: then the connection does.
        get channelsPerConnection() {
          return frames.unnamed || renames ? 1 : Number.POSITIVE_INFINITY
        },
        schedulePolls: template?.schedulePolls,
        // A long-polling location can't be talked into answering at once. An eventsource location can, by a header that
        // the module lets no page of another origin send.
        oneShot: { ...(endpoint.sameOrigin && { eventsource: 'poll' }), longpolling: 'longpolling' },
        lastMessage: true,
        // Pages of other origins may only use GET, and what needs no leave.
        probe: endpoint.sameOrigin ? 'OPTIONS' : 'HEAD',
      },
      order: createSplitter ? { ...numbered, echo: (_, events) => createSplitter(events, frames) } : numbered,
      get guarantees() {
        return frames.guarantees
      },

      check(channel) {
        checkName(channel)
        // However they are encoded: a slash separates channels, and a question mark ends the server's decoding. A line end
        // keeps one of its workers busy for ever.
        if (/[/?\p{Cc}]/u.test(channel)) {
          refuse(channel, `can't contain '/', '?' or control characters, the server has no way to read them`)
        }
      },

      decoder: (context, events) => createDecoder(frames, context, named(context.channels, events)),
      classify,
      positionOf: positionIn,
    }
  }
