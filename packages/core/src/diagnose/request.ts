import type { Settings } from '../options.js'
import type { Wanted } from '../protocols/protocol.js'
import type { Exchange, ModeName, Position, Provider } from '../types.js'
import type { Answered } from './types.js'

/** What connections of a diagnosis are made with. */
export interface Context {
  readonly settings: Settings
  readonly channel: string
  /** When the diagnosis began. */
  readonly began: number
  /** The page's origin, if it is another than the server's. */
  readonly origin: string | undefined
  /** Whether cookies are sent there. */
  readonly include: boolean
  /** Whether a browser keeps answers from the page. */
  readonly enforced: boolean
}

/** Which part of a request carries the position. */
export type Part = 'both' | 'argument' | 'header'

/** What one connection asks for. */
export interface Ask {
  readonly channels?: readonly Wanted[]
  readonly position?: Position
  readonly eventId?: string
  readonly part?: Part
}

/** Every answer of the push stream module has it. */
const expires = 'Thu, 01 Jan 1970 00:00:01 GMT'

const value = async <T>(provider: Provider<T>): Promise<T> =>
  typeof provider === 'function' ? (provider as () => T | Promise<T>)() : provider

const serverOf = (headers: Headers): Answered['server'] => {
  if (headers.get('Vary')?.includes('If-None-Match')) return 'nchan'
  return headers.get('Expires') === expires || headers.has('X-Nginx-PushStream-Explain') ? 'push-stream' : undefined
}

/** What the headers of an answer say. */
export function answeredBy({ status, headers }: Response): Answered {
  const get = (name: string) => headers.get(name) ?? undefined
  return {
    status,
    type: get('Content-Type') ?? '',
    origin: get('Access-Control-Allow-Origin'),
    credentials: get('Access-Control-Allow-Credentials'),
    server: serverOf(headers),
    explain: get('X-Nginx-PushStream-Explain'),
  }
}

export const pause = ({ settings: { environment } }: Context, ms: number): Promise<void> =>
  new Promise((resolve) => environment.setTimeout(resolve, ms))

/** A request that is given up after so many ms. `undefined`: no answer. */
export async function within<T>(
  { settings: { environment } }: Context,
  ms: number,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const abort = new AbortController()
  const timer = environment.setTimeout(() => abort.abort(), ms)
  try {
    return await ask(abort.signal)
  } catch {
    return undefined
  } finally {
    environment.clearTimeout(timer)
    abort.abort()
  }
}

/** `fetch` of this context. Where no browser does, the origin of the page is told here. */
export const fetchOf =
  ({ settings, origin, enforced }: Context): typeof fetch =>
  (url, init) =>
    settings.environment.fetch(url, {
      ...init,
      headers: {
        ...(init?.headers as Record<string, string>),
        ...(!enforced && origin !== undefined && { Origin: origin }),
      },
    })

/** The request of a mode, as the client makes it. */
export async function exchangeOf({ settings, channel }: Context, mode: ModeName, ask: Ask = {}): Promise<Exchange> {
  const { protocol } = settings
  const [params, headers] = await Promise.all([value(settings.params), value(settings.headers)])
  const common = {
    channels: ask.channels ?? [{ name: channel }],
    params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)])),
    headers,
  }
  const { position, eventId, part = 'both' } = ask
  const whole = protocol.exchange(mode, { ...common, position, eventId })
  if (part === 'both') return whole
  const plain = protocol.exchange(mode, { ...common, position: undefined, eventId: undefined })
  return part === 'argument' ? { ...whole, headers: plain.headers } : { ...whole, url: plain.url }
}
