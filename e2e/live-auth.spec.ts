import { createServer } from 'node:http'
import { createAuthorizer } from '@pushstream/publisher/auth'
import { type LivePlace, startLive } from './support/live.js'
import { missingNginx } from './support/nginx.js'
import { allModes, test as base, expect, needs } from './support/test.js'

// A page with a session in a cookie, and an nginx that asks the application for every subscription. Every way to write the
// name of another's channel is tried in packages/publisher/test/integration/auth.test.ts; here the browser writes it.

async function startApplication() {
  const auth = createAuthorizer({
    allow(channel, { headers }) {
      const user = /(?:^|; )session=(\w+)/.exec((headers as { cookie?: string }).cookie ?? '')?.[1]
      return user === undefined ? 401 : channel === 'global' || channel === `user-${user}`
    },
  })
  const server = createServer(auth.handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as { port: number }).port}` }
}

const test = base.extend<{ live: LivePlace }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
  live: async ({}, use) => {
    const application = await startApplication()
    const live = await startLive('push-stream', {
      adjust: (config) =>
        config.replace(/push_stream_subscriber /g, 'auth_request /may;\n      $&').replace(
          / {4}location = \/pub/,
          `    location = /may {
      internal;
      proxy_pass ${application.url};
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $request_uri;
    }\n$&`,
        ),
    })
    await use(live)
    const { crashes } = live.nginx
    await live.close()
    application.server.closeAllConnections()
    application.server.close()
    expect(crashes).toEqual([])
  },
  place: async ({ live }, use) => {
    await use(live)
  },
})

needs(missingNginx('push-stream'))

const options = { reconnectOnTimeoutInterval: 200, reconnectOnChannelUnavailableInterval: 300 }

for (const mode of allModes) {
  test(`${mode}: a page sees its own channel, and no other`, async ({ tab, live, context }) => {
    await live.push.publish('user-ann', 'for ann')
    await live.push.publish('user-bob', 'for bob')
    await context.addCookies([{ name: 'session', value: 'ann', url: live.url, httpOnly: true, sameSite: 'Strict' }])
    await tab.open({ options: { ...options, modes: [mode] }, channels: { 'user-ann': 1, global: 0 } })
    await tab.page.evaluate(() => window.e2e.client!.stream.addChannel('user-bob', { backtrack: 1 }))
    const { errors } = await tab.until('the refusal', (recording) => recording.errors.length > 0)
    expect(errors).toEqual([{ code: 'forbidden', message: expect.stringContaining('user-bob') }])
    await tab.until('open', ({ status }) => status.state === 'open')
    await live.push.publish('user-bob', 'more for bob')
    await live.push.publish('user-ann', 'more for ann')
    await live.push.publish('global', 'for all')
    const { messages } = await tab.received(3)
    expect(messages.map(({ text }) => text).sort()).toEqual(['for all', 'for ann', 'more for ann'])
  })

  test(`${mode}: a page without a session sees nothing, and knows why`, async ({ tab, live }) => {
    await live.push.publish('user-ann', 'for ann')
    await tab.load()
    await tab.start({ options: { ...options, modes: [mode] }, channels: { 'user-ann': 1 } })
    const { errors, messages } = await tab.until('the refusal', (recording) => recording.errors.length > 0)
    expect(errors.map(({ code }) => code)).toEqual(['unauthorized'])
    expect(messages).toEqual([])
  })
}
