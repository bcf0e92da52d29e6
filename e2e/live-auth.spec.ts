import { createServer } from 'node:http'
import { createAuthorizer } from '@pushstream/publisher/auth'
import { startLive } from './support/live.js'
import { startNchanPlace } from './support/nchan.js'
import { missingNginx } from './support/nginx.js'
import { startProxied } from './support/proxied.js'
import type { Place } from './support/site.js'
import { allModes, test as base, expect, needs } from './support/test.js'

// A page with a session in a cookie, and an nginx that asks the application for every subscription. Every way to write the
// name of another's channel is tried in packages/publisher/test/integration/auth.test.ts; here the browser writes it.

/** An application with sessions: a cookie that names the user. */
async function startApplication(settings: { server?: 'nchan'; locations?: readonly string[] }) {
  const auth = createAuthorizer({
    ...settings,
    allow(channel, { headers }) {
      const user = /(?:^|; )session=(\w+)/.exec((headers as { cookie?: string }).cookie ?? '')?.[1]
      return user === undefined ? 401 : channel === 'global' || channel === `user-${user}`
    },
  })
  const server = createServer(auth.handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The location that asks it. */
const asking = (application: string) => `
    location = /may {
      internal;
      proxy_pass ${application};
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $request_uri;
    }
`

interface Guarded extends Place {
  close(): Promise<void>
}

interface Server {
  readonly name: string
  readonly missing: string | undefined
  readonly protocol?: { readonly name: 'nchan' }
  readonly application: Parameters<typeof startApplication>[0]
  start(asking: string): Promise<Guarded>
}

const servers: readonly Server[] = [
  {
    name: 'the push stream module',
    missing: missingNginx('push-stream'),
    application: {},
    start: (asking) =>
      startLive('push-stream', {
        adjust: (config) =>
          config
            .replace(/push_stream_subscriber /g, 'auth_request /may;\n      $&')
            .replace(/ {4}location = \/pub/, `${asking}\n$&`),
      }),
  },
  {
    name: 'nginx in front of the development server',
    missing: missingNginx('proxy'),
    application: {},
    start: (asking) =>
      startProxied('proxy', {
        adjust: (config) =>
          config
            .replace(/ {4}location = \/may \{[^]*?\n {4}\}\n/, () => asking)
            .replace('location ~ ^/(ws|ev|sub|lp|pl)/ {', '$&\n      auth_request /may;'),
      }),
  },
  {
    name: 'Nchan',
    missing: missingNginx('nchan'),
    protocol: { name: 'nchan' },
    application: { server: 'nchan', locations: ['/sub/'] },
    start: (asking) =>
      startNchanPlace({
        adjust: (config) =>
          config
            .replace(/(location ~ \^\/sub\/\([^)]+\)\$ \{\n)/, '$1      nchan_authorize_request /may;\n')
            .replace(/ {2}server \{\n/, (begin) => begin + asking),
      }),
  },
]

const impatient = { reconnectOnTimeoutInterval: 200, reconnectOnChannelUnavailableInterval: 300 }

for (const { name, missing, protocol, application, start } of servers) {
  const test = base.extend<{ guarded: Guarded }>({
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
    guarded: async ({}, use) => {
      const asked = await startApplication(application)
      const guarded = await start(asking(asked.url))
      await use(guarded)
      await guarded.close()
      asked.close()
    },
    place: async ({ guarded }, use) => {
      await use(guarded)
    },
  })
  const begin = (mode: (typeof allModes)[number], channels: Record<string, number>) => ({
    ...(protocol && { protocol }),
    options: { ...impatient, modes: [mode] },
    channels,
  })

  test.describe(name, { tag: name === 'Nchan' ? [] : '@server' }, () => {
    needs(missing)

    for (const mode of allModes) {
      test(`${mode}: a page sees its own channel, and no other`, async ({ tab, guarded, context }) => {
        const { push, url } = guarded
        await push.publish('user-ann', 'for ann')
        await push.publish('user-bob', 'for bob')
        await context.addCookies([{ name: 'session', value: 'ann', url, httpOnly: true, sameSite: 'Strict' }])
        await tab.open(begin(mode, { 'user-ann': 1, global: 0 }))
        await tab.page.evaluate(() => window.e2e.client!.stream.addChannel('user-bob', { backtrack: 1 }))
        const { errors } = await tab.until('the refusal', ({ errors }) =>
          errors.some(({ code }) => code === 'forbidden'),
        )
        // A page can't see why a websocket is refused: first that is all the client can say.
        const blind = mode === 'websocket' ? 'unreachable' : undefined
        expect(errors.filter(({ code }) => code !== blind)).toEqual([
          { code: 'forbidden', message: expect.stringContaining('user-bob') },
        ])
        await tab.until('open', ({ status }) => status.state === 'open')
        await push.publish('user-bob', 'more for bob')
        await push.publish('user-ann', 'more for ann')
        await push.publish('global', 'for all')
        const { messages } = await tab.received(3)
        expect(messages.map(({ text }) => text).sort()).toEqual(['for all', 'for ann', 'more for ann'])
      })

      test(`${mode}: a page without a session sees nothing, and knows why`, async ({ tab, guarded }) => {
        await guarded.push.publish('user-ann', 'for ann')
        await tab.load()
        await tab.start(begin(mode, { 'user-ann': 1 }))
        const { errors, messages } = await tab.until('the refusal', (recording) => recording.errors.length > 0)
        // A page can't see why a websocket is refused, and it is tried again.
        const codes = errors.map(({ code }) => code)
        if (mode === 'websocket') expect(new Set(codes)).toEqual(new Set(['unreachable']))
        else expect(codes).toEqual(['unauthorized'])
        expect(messages).toEqual([])
      })
    }
  })
}
