import { STATUS_CODES } from 'node:http'
import { type Head, headerOf } from './message-reader.js'

/**
 * What the proxy does with requests for another protocol (websockets):
 * - `'pass'` (default): forwarded as they are.
 * - `'swallow'`: forwarded without `Upgrade` and `Connection`, as by an old proxy. The server sees a plain GET.
 * - `'hang'`: never forwarded and never answered.
 * - `{ status }`: refused by the proxy with this HTTP status, such as 403, 404 or 426.
 */
export type UpgradePolicy = 'pass' | 'swallow' | 'hang' | { status: number }

/** Whether this request asks for another protocol. */
export function asksUpgrade(head: Head): boolean {
  return headerOf(head, 'upgrade') !== undefined && /\bupgrade\b/i.test(headerOf(head, 'connection') ?? '')
}

/** The request as an old proxy forwards it: without the hop-by-hop headers. */
export function withoutUpgrade(head: Head): Buffer {
  const kept = head.headers.filter(([name]) => !/^(upgrade|connection)$/i.test(name))
  const lines = [head.start.join(' '), ...kept.map(([name, value]) => `${name}: ${value}`)]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** A response without a body that refuses an upgrade. */
export function refusal(status: number): Buffer {
  // RFC 9110: a 426 names the protocol that it requires.
  const hint = status === 426 ? 'Upgrade: websocket\r\nConnection: Upgrade, close\r\n' : 'Connection: close\r\n'
  return Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${hint}Content-Length: 0\r\n\r\n`)
}
