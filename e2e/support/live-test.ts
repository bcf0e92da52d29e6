import type { TestInfo } from '@playwright/test'
import type { Nginx } from './nginx.js'
import { expect } from './test.js'

interface Live {
  readonly nginx: Nginx
  close(): Promise<void>
}

/**
 * The fixture of a place with a live nginx of the test's own. Prints what nginx said at last where the test failed. Fails
 * where a worker crashed, whatever the test itself saw of it.
 */
export async function withLive<Place extends Live>(
  starting: Promise<Place>,
  use: (place: Place) => Promise<void>,
  info: TestInfo,
): Promise<void> {
  const live = await starting
  await use(live)
  const { crashes, log } = live.nginx
  if (info.status !== info.expectedStatus) console.log(`nginx said at last:\n${log.slice(-30).join('\n')}`)
  await live.close()
  expect(crashes).toEqual([])
}
