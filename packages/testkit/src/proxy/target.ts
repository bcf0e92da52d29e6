/** The server behind a proxy: an address (default `host`: `'127.0.0.1'`), or a URL with its host and port. */
export type ProxyTarget = { host?: string; port: number } | string | URL

/** An address to connect to. */
export interface Target {
  host: string
  port: number
}

export function parseTarget(target: ProxyTarget): Target {
  if (typeof target !== 'string' && !(target instanceof URL)) {
    return { host: target.host ?? '127.0.0.1', port: target.port }
  }
  const url = new URL(target)
  const port = Number(url.port) || (/^(https|wss):$/.test(url.protocol) ? 443 : 80)
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port }
}
