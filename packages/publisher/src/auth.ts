import { createReader, type RequestedChannels, type SubscriberLocations } from './auth/original-uri.js'
import { badOption } from './errors.js'

export type { RequestedChannels, SubscriberLocations } from './auth/original-uri.js'

/** A request, as Node's http, Express or `fetch` have it. */
export interface AuthRequest {
  readonly url?: string | undefined
  /** Express: the whole address, if `url` is only the part below a router. */
  readonly originalUrl?: string | undefined
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
}

/** An answer, as Node's http and Express have it. */
export interface AuthResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(): unknown
}

/**
 * The options of `createAuthorizer`.
 *
 * @example
 * ```ts
 * import { createAuthorizer } from '@pushstream/publisher/auth'
 *
 * const auth = createAuthorizer({
 *   server: 'nchan',
 *   header: false, // no nginx in between: the address is that of the request itself
 *   allow: (channel) => channel === 'news',
 * })
 * ```
 */
export interface AuthorizerOptions<Request extends AuthRequest = AuthRequest> extends SubscriberLocations {
  /**
   * Decides whether a request, by its cookies for example, may subscribe to a channel. `true` allows it. `false` and
   * 403 refuse it for good; 401 asks for a login. If it throws, the request is refused, and clients try again.
   */
  allow(channel: string, request: Request): boolean | 401 | 403 | Promise<boolean | 401 | 403>
  /**
   * The header with the address as the page requested it: `proxy_set_header X-Original-URI $request_uri`. nginx must
   * set it, or pages could. `false`: the request's own address, if there is no nginx in between. Default
   * `X-Original-URI`.
   */
  header?: string | false
}

/** A decision. */
export interface Decision {
  /** Whether all channels are allowed. */
  readonly allowed: boolean
  /** The status for `auth_request`. */
  readonly status: 204 | 401 | 403
  /** The channels that were asked for, as far as they could be read. */
  readonly channels: readonly string[]
  /** Why not: for a log, not for the page. */
  readonly reason: string | undefined
}

/** Answers nginx's `auth_request` and Nchan's `nchan_authorize_request`. No function needs `this`. */
export interface Authorizer<Request extends AuthRequest = AuthRequest> {
  /** Decides. Rejects with whatever `allow` throws. */
  readonly authorize: (request: Request) => Promise<Decision>
  /** For Node's http and for Express: `createServer(auth.handler)`, `app.get('/auth', auth.handler)`. */
  readonly handler: (request: Request, response: AuthResponse) => Promise<void>
  /** For frameworks with `fetch`'s Request and Response: `export const GET = auth.respond`. */
  readonly respond: (request: Request) => Promise<Response>
}

const known = new Set(['allow', 'header', 'server', 'locations', 'argument', 'separator'])

/**
 * Creates the functions that answer which page may subscribe to which channels. Throws `bad-option`.
 *
 * @example
 * ```ts
 * import { createAuthorizer } from '@pushstream/publisher/auth'
 *
 * const users = new Map([['session=1', 'user-42']])
 * const auth = createAuthorizer<Request>({
 *   allow: (channel, { headers }) => (headers.has('cookie') ? channel === users.get(`${headers.get('cookie')}`) : 401),
 * })
 * export const GET = auth.respond // or with node:http: createServer(auth.handler).listen(9000)
 * ```
 */
export function createAuthorizer<Request extends AuthRequest = AuthRequest>(
  options: AuthorizerOptions<Request>,
): Authorizer<Request> {
  for (const name of Object.keys(options)) if (!known.has(name)) throw badOption(`There is no option '${name}'.`)
  const { allow, header = 'X-Original-URI', server } = options
  if (typeof allow !== 'function') throw badOption(`'allow' is a function of a channel and the request.`)
  if (server !== undefined && server !== 'push-stream' && server !== 'nchan') {
    throw badOption(`'server' is 'push-stream' or 'nchan'.`)
  }
  if (options.separator === '') throw badOption(`'separator' is at least one character.`)
  if (header !== false && (typeof header !== 'string' || header === ''))
    throw badOption(`'header' is a name, or false.`)
  const read = createReader(options)

  const authorize = async (request: Request): Promise<Decision> => {
    const uri = header === false ? ownAddress(request.originalUrl ?? request.url) : headerOf(request, header)
    const asked: RequestedChannels = uri === undefined ? { refused: `nginx did not set ${header}` } : read(uri)
    if ('refused' in asked) return { allowed: false, status: 403, channels: [], reason: asked.refused }
    const { channels } = asked
    for (const channel of channels) {
      const verdict = await allow(channel, request)
      if (verdict === true) continue
      const reason = `${JSON.stringify(channel)} is not allowed`
      return { allowed: false, status: verdict === 401 ? 401 : 403, channels, reason }
    }
    return { allowed: true, status: 204, channels, reason: undefined }
  }

  // Anything but 2xx, 401 and 403 is an error to auth_request, which refuses with 500: clients take that for passing.
  const statusOf = (request: Request): Promise<number> =>
    authorize(request).then(
      ({ status }) => status,
      () => 500,
    )

  return {
    authorize,
    async handler(request, response) {
      response.statusCode = await statusOf(request)
      response.setHeader('Cache-Control', 'no-store')
      response.end()
    },
    async respond(request) {
      return new Response(null, { status: await statusOf(request), headers: { 'Cache-Control': 'no-store' } })
    },
  }
}

/** Path and query of a request's own address, whole or not. */
function ownAddress(url: string | undefined): string | undefined {
  return url?.replace(/^https?:\/\/[^/?#]*(?=\/)/i, '')
}

function headerOf({ headers }: AuthRequest, name: string): string | undefined {
  if (typeof (headers as Headers).get === 'function') return (headers as Headers).get(name) ?? undefined
  const wanted = name.toLowerCase()
  const values = Object.entries(headers as Record<string, string | readonly string[] | undefined>)
    .filter(([key]) => key.toLowerCase() === wanted)
    .flatMap(([, value]) => value ?? [])
  // Twice is once too often: nginx sets it once.
  return values.length === 1 ? values[0] : undefined
}
