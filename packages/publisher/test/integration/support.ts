import { appendFileSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PublisherOptions } from '@pushstream/publisher'
import { Publisher, PublisherError } from '@pushstream/publisher'
import { type Nginx, startNginx } from '../../../../e2e/support/nginx.js'
import { cleanup } from '../../../core/test/integration/support.js'

export { cleanup, record, startProxy, startServer } from '../../../core/test/integration/support.js'

/** A publisher whose work is done when the test is. */
export function makePublisher(options: PublisherOptions): Publisher {
  const publisher = new Publisher(options)
  cleanup(() => publisher.flush())
  return publisher
}

/** The error a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<PublisherError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof PublisherError) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** What a server took, as itself tells it: channel and number, in the order it took them. */
export interface Ledger {
  taken(): readonly { channel: string; n: number }[]
}

/** nginx that writes down every message it took, where `n` is in a header. */
export async function startAccounted(
  config: 'push-stream' | 'nchan',
  options: { workers?: number } = {},
): Promise<{ nginx: Nginx; ledger: Ledger }> {
  const folder = await mkdtemp(join(tmpdir(), 'pushstream-ledger-'))
  const file = join(folder, 'access.log')
  appendFileSync(file, '')
  const nginx = await startNginx(config, {
    ...options,
    adjust: (text) =>
      text
        .replace(
          /^http \{$/m,
          `$&\n  log_format ledger '$msec $request_method $status $http_x_channel $http_x_number';`,
        )
        .replace(/(push_stream_publisher admin|nchan_publisher);/, `$&\n      access_log ${file} ledger;`),
  })
  cleanup(async () => {
    await nginx.close()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    nginx,
    ledger: {
      taken: () =>
        readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(' '))
          .filter(([, method, status]) => method === 'POST' && /^20\d$/.test(status ?? ''))
          .map(([, , , channel = '', n]) => ({ channel, n: Number(n) })),
    },
  }
}
