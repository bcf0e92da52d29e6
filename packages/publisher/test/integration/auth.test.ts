import { createServer, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { nchanServer } from '@pushstream/publisher'
import { createAuthorizer } from '@pushstream/publisher/auth'
import { freePort } from '@pushstream/testkit'
import express from 'express'
import { describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { missingNginx, startNginx } from '../../../../e2e/support/nginx.js'
import { lacking } from '../../../../e2e/support/programs.js'
import { allModes } from '../../../core/test/integration/support.js'
import { attacks } from '../support/addresses.js'
import { cleanup, makePublisher, record, startServer } from './support.js'

// nginx asks the application for every subscription. A page has a session, and sees its own channel and no other, however
// it writes the name.

const asking = `
    location = /may {
      internal;
      proxy_pass $application;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $request_uri;
    }`

/** An application with sessions: a cookie that names the user. */
async function startApplication(settings: { server?: 'nchan' } = {}): Promise<string> {
  const auth = createAuthorizer({
    ...settings,
    ...(settings.server && { locations: ['/sub/'] }),
    allow(channel, { headers }) {
      const { cookie = '' } = headers as Record<string, string | undefined>
      const user = /(?:^|; )session=(\w+)/.exec(cookie)?.[1]
      return user === undefined ? 401 : channel === 'global' || channel === `user-${user}`
    },
  })
  const server = createServer(auth.handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

interface Site {
  readonly url: string
  readonly unguarded: string
  readonly publisher: string
}

/** The module, with subscriptions that are guarded and, on another port, the same without. */
async function startModule(): Promise<Site> {
  const application = await startApplication()
  const open = await freePort()
  const nginx = await startNginx('push-stream', {
    adjust: (config) => {
      const [, server = ''] = /^( {2}server \{[^]*^ {2}\}$)/m.exec(config) ?? []
      const guarded = server
        .replace(/push_stream_subscriber /g, 'auth_request /may;\n      $&')
        .replace(/ {4}location = \/pub/, `${asking.replace('$application', application)}\n$&`)
      const other = server.replace(/listen 127.0.0.1:\d+/, `listen 127.0.0.1:${open}`)
      return config.replace(server, () => `${guarded}\n${other}`)
    },
  })
  cleanup(async () => {
    expect(nginx.crashes).toEqual([])
    await nginx.close()
  })
  return { url: nginx.url, unguarded: `http://127.0.0.1:${open}`, publisher: nginx.url }
}

/** nginx with nothing but what Debian has, before a push server that is another program. */
async function startProxied(): Promise<Site> {
  const application = await startApplication()
  const { url: push } = await startServer()
  const nginx = await startNginx('nchan', {
    // Nothing of that one but where it listens and what it writes.
    adjust: (config) => `events {}
http {
  ${/include .*test\.conf;/.exec(config)?.[0]}
  map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_upgrade;
  proxy_buffering off;
  server {
    ${/listen 127\.0\.0\.1:\d+;/.exec(config)?.[0]}
    ${asking.replace('$application', application)}
    location ~ ^/(ws|ev|sub|lp|pl)(/|$) {
      auth_request /may;
      proxy_pass ${push};
    }
  }
}`,
  })
  cleanup(() => nginx.close())
  return { url: nginx.url, unguarded: push, publisher: push }
}

/** A websocket as a browser makes it, with its cookies. */
const withCookie = (cookie: string) =>
  class extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols, { headers: { cookie } })
    }
  } as unknown as typeof globalThis.WebSocket

const clientOf = (url: string, cookie: string, mode: (typeof allModes)[number]) =>
  record({ url, modes: [mode], headers: { cookie }, environment: { WebSocket: withCookie(cookie) } })

async function seesItsOwn({ url, publisher: at }: Site): Promise<void> {
  const publisher = makePublisher({ url: at })
  for (const name of ['user-ann', 'user-bob', 'global']) await publisher.publish(name, `for ${name}`)
  for (const mode of allModes) {
    const ann = clientOf(url, 'a=b; session=ann', mode)
    for (const name of ['user-ann', 'global']) ann.stream.addChannel(name, { backtrack: 1 })
    ann.stream.connect()
    await ann.until(() => ann.messages.length === 2)
    ann.stream.addChannel('user-bob', { backtrack: 1 })
    await ann.until(() => ann.errors.some(({ code }) => code === 'forbidden'))
    // A page can't see why a websocket is refused: first that is all the client can say.
    const blind = mode === 'websocket' ? 'unreachable' : undefined
    expect(
      ann.errors.filter(({ code }) => code !== blind).map(({ code, channel }) => [code, channel]),
      mode,
    ).toEqual([['forbidden', 'user-bob']])
    await publisher.publish('user-bob', 'not for ann')
    await publisher.publish('user-ann', 'and more')
    await ann.until(() => ann.messages.length === 3)
    expect(ann.messages.map(({ text }) => text).sort(), mode).toEqual(['and more', 'for global', 'for user-ann'])
    ann.stream.close()
    await publisher.delete('user-ann')
    await publisher.publish('user-ann', 'for user-ann')
  }
}

/** What an address brings that is stored. */
async function bodyOf(url: string, headers: Record<string, string>): Promise<string> {
  const time = `time=${encodeURIComponent('Thu, 01 Jan 1970 00:00:00 GMT')}&tag=0`
  return raw(`${url}${url.includes('?') ? '&' : '?'}${time}`, { 'X-Nginx-PushStream-Mode': 'polling', ...headers })
}

/** By hand: fetch would resolve the steps of the path. `patience`: how long nothing more comes, in ms, when something did. */
function raw(url: string, headers: Record<string, string>, patience = 2000, line?: string): Promise<string> {
  const [, host = '', port = '', path = ''] = /^http:\/\/([^:]+):(\d+)([^]*)$/.exec(url) ?? []
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) })
    let text = ''
    // On a machine that is busy the first byte takes its time, and no answer shows nothing.
    socket.setTimeout(10_000, () => socket.destroy())
    socket.on('data', (data) => {
      socket.setTimeout(patience)
      text += data
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    const lines = Object.entries({ Host: 'x', Connection: 'close', ...headers }).map(([k, v]) => `${k}: ${v}\r\n`)
    socket.write(`${line ?? `GET ${path}`} HTTP/1.1\r\n${lines.join('')}\r\n`)
  })
}

/** What stands in the request line, whole, counts; what a page says in headers of its own does not. */
async function believesNobody({ url, publisher: at }: Site): Promise<void> {
  const publisher = makePublisher({ url: at })
  await publisher.publish('user-bob', 'THE-SECRET')
  await publisher.publish('user-ann', 'MY-OWN')
  const { host } = new URL(url)
  const time = `time=${encodeURIComponent('Thu, 01 Jan 1970 00:00:00 GMT')}&tag=0`
  const headers = { cookie: 'session=ann', 'X-Nginx-PushStream-Mode': 'polling' }
  const ask = async (target: string, more: Record<string, string> = {}, method = 'GET') =>
    raw(`${url}`, { ...headers, ...more }, 1000, `${method} ${target}`)
  expect(await ask(`/ev/user-ann?${time}`)).toContain('MY-OWN')
  expect(await ask(`http://${host}/ev/user-ann?${time}`)).toContain('MY-OWN')
  for (const target of [
    `http://${host}/ev/user-bob?${time}`,
    `http://user-ann/ev/user-bob?${time}`,
    // The site's: there is none.
    `http://${host}?${time}&channels=user-bob`,
    `http:///ev/user-bob?${time}`,
    `/ev/user-bob?${time}`,
    `/ev/user-bob?${time}#/ev/user-ann`,
    `/ev/user-bob?${time}&/ev/user-ann`,
  ]) {
    for (const name of ['X-Original-URI', 'x-original-uri', 'X-Original-Uri', 'X_Original_URI', 'X-Forwarded-Uri']) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
        const answer = await ask(target, { [name]: '/ev/user-ann' }, method)
        expect(answer, `${method} ${target} ${name}`).not.toContain('THE-SECRET')
        expect(answer, `${method} ${target} ${name}`).toMatch(/^HTTP\/1\.1 (400|403|404|405|502) /)
      }
    }
  }
  // What only nginx may ask.
  expect(await ask('/may', { 'X-Original-URI': '/ev/user-ann' })).toContain(' 404 ')
}

/** Unit tests take all; here every request costs something. */
const someAttacks = () => attacks('user-bob', 'user-ann').filter((_, i) => i % 7 === 0)

/** A name that ends with a line end, after all decoding, lets a worker of the module (b1c1a08) loop for ever: nothing to try unguarded. */
const hangs = (address: string) => /%(25)+0A/i.test(address)

async function hidesTheRest({ url, unguarded, publisher: at }: Site): Promise<void> {
  const publisher = makePublisher({ url: at })
  await publisher.publish('user-bob', 'THE-SECRET')
  await publisher.publish('user-ann', 'MY-OWN')
  const addresses = someAttacks()
  const cookie = 'session=ann'
  let reached = 0
  const through: string[] = []
  for (let from = 0; from < addresses.length; from += 20) {
    await Promise.all(
      addresses.slice(from, from + 20).map(async (address) => {
        if (!hangs(address) && (await bodyOf(unguarded + address, {})).includes('THE-SECRET')) reached++
        if ((await bodyOf(url + address, { cookie })).includes('THE-SECRET')) through.push(address)
      }),
    )
  }
  console.log(`${addresses.length} addresses, of which ${reached} reach the channel where nobody asks`)
  expect(through).toEqual([])
  // Attacks that would work, or this shows nothing; and what is allowed comes.
  expect(reached).toBeGreaterThan(200)
  expect(await bodyOf(`${url}/ev/user-ann`, { cookie })).toContain('MY-OWN')
  expect(await bodyOf(`${url}/ev/user-ann`, {})).toContain(' 401 ')
}

describe.skipIf(lacking(missingNginx('push-stream')) !== undefined)(
  'the module in a live nginx, asking the application',
  () => {
    test('every mode: a page sees its own channel', async () => seesItsOwn(await startModule()))
    test('what a page says of its address counts nothing', async () => believesNobody(await startModule()))
    test('no way to write the name of another shows it', async () => hidesTheRest(await startModule()), 120_000)
  },
)

/** Nchan asks by itself, with nchan_authorize_request. */
async function startNchan(): Promise<{ url: string }> {
  const application = await startApplication({ server: 'nchan' })
  const nginx = await startNginx('nchan', {
    adjust: (config) =>
      config
        .replace(/(location ~ \^\/sub\/\([^)]+\)\$ \{\n)/, '$1      nchan_authorize_request /may;\n')
        .replace(/ {2}server \{\n/, `$&${asking.replace('$application', application)}\n`),
  })
  cleanup(async () => {
    expect(nginx.crashes).toEqual([])
    await nginx.close()
  })
  return nginx
}

test.skipIf(lacking(missingNginx('nchan')) !== undefined)(
  'Nchan in a live nginx, asking the application',
  async () => {
    const { url } = await startNchan()
    const publisher = makePublisher({ url, server: nchanServer() })
    await publisher.publish('user-bob', 'THE-SECRET')
    await publisher.publish('user-ann', 'MY-OWN')
    const cookie = 'session=ann'
    const addresses = attacks('user-bob', 'user-ann')
      .filter((address) => !address.includes('channels=') && !address.includes('CHANNELS='))
      .map((address) => address.replace(/ev\/|%65v\//, 'sub/'))
    for (let from = 0; from < addresses.length; from += 20) {
      await Promise.all(
        addresses.slice(from, from + 20).map(async (address) => {
          expect(await raw(url + address, { cookie, Accept: 'text/event-stream' }, 300), address).not.toContain(
            'THE-SECRET',
          )
        }),
      )
    }
    expect(await raw(`${url}/sub/user-ann`, { cookie }, 300)).toContain('MY-OWN')
    expect(await raw(`${url}/sub/user-ann`, {}, 300)).toContain(' 401 ')
  },
  120_000,
)

describe.skipIf(lacking(missingNginx('nchan')) !== undefined)(
  'nginx before a push server, asking the application',
  () => {
    test('every mode: a page sees its own channel', async () => seesItsOwn(await startProxied()))
    test('what a page says of its address counts nothing', async () => believesNobody(await startProxied()))
    test('no way to write the name of another shows it', async () => hidesTheRest(await startProxied()), 120_000)
  },
)

describe('the answer is the same from Node, Express and what is written with fetch', () => {
  const auth = createAuthorizer({ allow: (channel) => (channel === 'login' ? 401 : channel === 'global') })
  const own = createAuthorizer({ header: false, allow: (channel) => channel === 'global' })

  async function listen(listener: RequestListener): Promise<string> {
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanup(() => {
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as { port: number }).port}`
  }

  const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])

  test.each([
    [204, ['/ws/global']],
    [401, ['/ws/login']],
    [403, ['/ws/secret']],
    [403, []],
    [403, ['']],
    // Twice: joined by Node and by fetch.
    [403, ['/ws/global', '/ws/global']],
    [403, ['/ws/global', '/ws/secret']],
    [403, ['http://a/ws/global']],
    [403, ['/ws/global\tx']],
  ])('%i for %j', async (status, values) => {
    const app = express()
    app.get('/auth', auth.handler)
    const node = await listen(auth.handler)
    const viaExpress = await listen(app)
    const lines = values.map((value) => `X-Original-URI: ${value}\r\n`).join('')
    for (const method of ['GET', 'HEAD']) {
      for (const url of [node, viaExpress]) {
        // What follows the line that is given becomes a header's value.
        const answer = await raw(url, {}, 2000, `${method} /auth HTTP/1.1\r\n${lines}X-Rest:`)
        expect(statusOf(answer), `${method} ${url}`).toBe(status)
        expect(answer).toMatch(/cache-control: no-store/i)
      }
    }
    const headers = new Headers()
    for (const value of values) headers.append('X-Original-URI', value)
    expect((await auth.respond(new Request('http://a/auth', { headers }))).status).toBe(status)
  })

  test('the own address, also below a router of Express', async () => {
    const app = express()
    app.use('/ws', own.handler)
    const url = await listen(app)
    expect(statusOf(await raw(`${url}/ws/global`, {}))).toBe(204)
    expect(statusOf(await raw(`${url}/ws/secret`, {}))).toBe(403)
    expect(statusOf(await raw(`${url}/ws/global/..%2fsecret`, {}))).toBe(403)
    const node = await listen(own.handler)
    expect(statusOf(await raw(node, {}, 2000, 'GET http://a/ws/global'))).toBe(204)
    expect(statusOf(await raw(node, {}, 2000, 'GET http://a/ws/secret'))).toBe(403)
    expect((await own.respond(new Request('http://a/ws/x/../global'))).status).toBe(204)
  })
})
