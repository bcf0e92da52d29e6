import { nchan, type Options } from '@pushstream/core'
import { allModes } from '../src/preset.js'

/** Which push server the page talks to. */
export type Server = 'push-stream' | 'nchan'

/** What the page's address says. */
export interface Settings {
  /** The push server's address. */
  readonly base: string
  readonly server: Server
  readonly options: Options
}

/** Reads the page's query: `?url=https://push.example.org&modes=eventsource|longpolling&server=nchan`. */
export function readSettings(query: string, origin: string): Settings {
  const given = new URLSearchParams(query)
  const base = (given.get('url') ?? origin).replace(/\/+$/, '')
  const server = given.get('server') === 'nchan' ? 'nchan' : 'push-stream'
  const asked = (given.get('modes') ?? '').split('|')
  const modes = allModes.filter((mode) => asked.includes(mode)).sort((a, b) => asked.indexOf(a) - asked.indexOf(b))
  return {
    base,
    server,
    options: {
      url: base,
      ...(modes.length > 0 && { modes }),
      ...(server === 'nchan' && { protocol: nchan() }),
      // A page to play with should notice a dead network while one looks.
      pingtimeout: 10_000,
      reconnectOnChannelUnavailableInterval: 10_000,
    },
  }
}
