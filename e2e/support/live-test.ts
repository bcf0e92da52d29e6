import type { TestInfo } from '@playwright/test'
import type { Nginx } from './nginx.js'
import { expect } from './test.js'

interface Live {
  readonly nginx: Nginx
  close(): Promise<void>
}

/**
 * The fixture of a place with a live nginx for each test. It prints the end of nginx's log if the test failed. It fails
 * if a worker crashed, even if the test itself passed.
 */
export async function withLive<Place extends Live>(
  starting: Promise<Place>,
  use: (place: Place) => Promise<void>,
  info: TestInfo,
): Promise<void> {
  const live = await starting
  await use(live)
  const { crashes, log } = live.nginx
  if (info.status !== info.expectedStatus) console.log(`The end of nginx's log:\n${log.slice(-30).join('\n')}`)
  await live.close()
  expect(crashes).toEqual([])
}
