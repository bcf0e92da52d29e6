import { nchanServer, type Publisher, pushStreamServer, relayServer } from '@pushstream/publisher'
import { describe, expect, test } from 'vitest'
import { fewNames as names } from '../../../../e2e/support/channel-names.js'
import { missingNginx, type Nginx, startNginx } from '../../../../e2e/support/nginx.js'
import { lacking } from '../../../../e2e/support/programs.js'
import { cleanup, errorOf, makePublisher, startServer } from './support.js'

// A channel is opened, is there, is pushed to, is pushed to with all others, and is closed: against each server as it is.

const authorized = { settings: { authorizedChannelsOnly: true, longpollingConnectionTtl: 500 } }

/** The status of a subscriber's request; one that is let in is left at once. */
async function subscribed(url: string): Promise<number> {
  const abort = new AbortController()
  const { status } = await fetch(url, { signal: abort.signal, headers: { Accept: 'text/event-stream' } })
  abort.abort()
  return status
}

async function live(config: string, values = {}): Promise<Nginx> {
  const nginx = await startNginx(config, { values })
  cleanup(async () => {
    expect(nginx.crashes).toEqual([])
    await nginx.close()
  })
  return nginx
}

async function pushStreamLife(publisher: Publisher, url: string): Promise<void> {
  const statusOf = (name: string) => subscribed(`${url}/ev/${pathName(name)}`)
  for (const name of names) {
    expect(await publisher.exists(name), name).toBe(false)
    expect(await publisher.stats(name), name).toBe(undefined)
    expect(await statusOf(name), name).toBe(403)
    expect(await publisher.open(name), name).toBe(true)
    expect(await publisher.open(name), name).toBe(false)
    expect(await publisher.exists(name), name).toBe(true)
    expect(await statusOf(name), name).toBe(200)
    expect(await publisher.publish(name, { type: 'answer', value: 42 }), name).toMatchObject({
      channel: name,
      published: 2,
      stored: 2,
    })
  }
  expect(publisher.opened).toEqual(names)
  const reached = await publisher.broadcast('to all')
  expect(reached.map(({ channel, published }) => [channel, published])).toEqual(names.map((name) => [name, 3]))
  await publisher.publish(['prefix-1', 'prefix-2'], 'both')
  expect((await publisher.stats({ prefix: 'prefix-' })).map(({ channel }) => channel).sort()).toEqual([
    'prefix-1',
    'prefix-2',
  ])
  expect((await publisher.stats({ all: true })).map(({ channel }) => channel).sort()).toEqual(
    [...names, 'prefix-1', 'prefix-2'].sort(),
  )
  expect(await publisher.stats({ prefix: 'nobody' })).toEqual([])
  expect((await publisher.broadcast('x', { matching: 'prefix-' })).map(({ published }) => published)).toEqual([2, 2])
  expect(await publisher.broadcast('x', { matching: /-1$/g })).toMatchObject([{ channel: 'prefix-1', published: 3 }])
  expect(await publisher.stats()).toMatchObject({ channels: names.length + 2 })
  for (const name of names) {
    expect(await publisher.close(name, { text: 'bye' }), name).toBe(true)
    expect(await publisher.close(name), name).toBe(false)
    expect(await publisher.exists(name), name).toBe(false)
    expect(await statusOf(name), name).toBe(403)
  }
  expect(publisher.opened).toEqual([])
}

/** As the module reads a path: decoded twice. */
const pathName = (name: string) =>
  (/^\.+$/.test(name) ? name.replaceAll('.', '%252E') : encodeURIComponent(name).replaceAll('%25', '%2525')) +
  (/\.b\d+$/.test(name) ? '.b0' : '')

test('the development server', async () => {
  const { url } = await startServer(authorized)
  const publisher = makePublisher({ url })
  await pushStreamLife(publisher, url)
  const long = await errorOf(publisher.publish('n'.repeat(500), 'x'))
  expect(long).toMatchObject({ code: 'refused', outcome: 'no', explain: 'Channel id is too large.' })
})

const noModule = lacking(missingNginx('push-stream'))
describe.skipIf(noModule !== undefined)('the push stream module in a live nginx', () => {
  test('the life of a channel', async () => {
    const { url } = await live('push-stream', { authorized: 'on' })
    await pushStreamLife(makePublisher({ url }), url)
  })

  test('a normal publisher does not delete, and says how it would', async () => {
    const nginx = await startNginx('push-stream', {
      adjust: (config) => config.replace('push_stream_publisher admin', 'push_stream_publisher normal'),
    })
    cleanup(() => nginx.close())
    const publisher = makePublisher({ url: nginx.url })
    await publisher.publish('c', 'x')
    const error = await errorOf(publisher.delete('c'))
    expect(error).toMatchObject({ code: 'not-allowed', status: 405, outcome: 'no' })
    expect(error.message).toContain('push_stream_publisher admin')
  })

  test('a body that is too large, an address that is none, and a publisher without information', async () => {
    const nginx = await startNginx('push-stream', {
      adjust: (config) =>
        config
          .replace('push_stream_publisher admin;', '$&\n push_stream_channel_info_on_publish off;')
          .replace('client_max_body_size 8m', 'client_max_body_size 1k'),
      values: { application: 'http://127.0.0.1:1' },
    })
    cleanup(() => nginx.close())
    const publisher = makePublisher({ url: nginx.url, retry: { attempts: 0 } })
    expect(await publisher.publish('c', 'x')).toMatchObject({ channel: 'c', published: undefined })
    expect(await errorOf(publisher.publish('c', 'x'.repeat(2000)))).toMatchObject({ code: 'too-large', outcome: 'no' })
    const astray = makePublisher({
      url: nginx.url,
      server: pushStreamServer({ publisher: '/nowhere?id={channel}' }),
      retry: { attempts: 0 },
    })
    expect(await errorOf(astray.publish('c', 'x'))).toMatchObject({ code: 'server', status: 502, outcome: 'unknown' })
  })

  test('names in the path of the publisher', async () => {
    const nginx = await startNginx('push-stream', {
      adjust: (config) =>
        config
          .replace('location = /pub {', 'location ~ ^/pub/(.*)$ {')
          .replace('push_stream_channels_path $arg_id', 'push_stream_channels_path $1'),
    })
    cleanup(() => nginx.close())
    const publisher = makePublisher({ url: nginx.url, server: pushStreamServer({ publisher: '/pub/{channel}' }) })
    for (const name of names) {
      expect(await publisher.publish(name, 'x'), name).toMatchObject({ channel: name, published: 1 })
    }
    expect((await publisher.stats({ all: true })).map(({ channel }) => channel).sort()).toEqual([...names].sort())
  })
})

const noNchan = lacking(missingNginx('nchan'))
describe.skipIf(noNchan !== undefined)('Nchan in a live nginx', () => {
  test('the life of a channel', async () => {
    const nginx = await startNginx('nchan', {
      adjust: (config) =>
        config
          .replace(/ {2}server \{\n/, '$&    location = /nchan_stub_status { nchan_stub_status; }\n')
          .replace('nchan_message_timeout 1h', 'nchan_message_timeout $kept')
          .replace(/^ {2}server \{$/m, '  map $arg_ttl $kept { default $arg_ttl; "" 1h; }\n$&')
          .replace(
            /location ~ \^\/multi\//,
            `location ~ ^/mpub/(.+)$ { nchan_publisher; nchan_channel_id $1; nchan_channel_id_split_delimiter ","; }\n    $&`,
          ),
    })
    cleanup(async () => {
      expect(nginx.crashes).toEqual([])
      await nginx.close()
    })
    const server = nchanServer({ ttlArgument: 'ttl' })
    const publisher = makePublisher({ url: nginx.url, server })
    const plain = names.filter((name) => name !== '..')
    const statusOf = (name: string) => subscribed(`${nginx.url}/existing/${encodeURIComponent(name)}`)
    for (const name of plain) {
      expect(await publisher.exists(name), name).toBe(false)
      expect(await statusOf(name), name).toBe(403)
      expect(await publisher.open(name), name).toBe(true)
      expect(await publisher.open(name), name).toBe(false)
      expect(await statusOf(name), name).toBe(200)
      expect(await publisher.publish(name, { type: 'answer', value: 42 }, { ttl: 60 }), name).toMatchObject({
        channel: name,
        stored: 2,
        lastMessageId: expect.stringMatching(/^\d+:\d+$/),
      })
    }
    expect((await publisher.broadcast('to all')).map(({ stored }) => stored)).toEqual(plain.map(() => 3))
    expect(await publisher.stats()).toMatchObject({ published: plain.length * 3 })
    expect(await errorOf(publisher.broadcast('x', { matching: 'a' }))).toMatchObject({ code: 'unsupported' })
    for (const name of plain) expect(await publisher.close(name), name).toBe(true)
    expect(await publisher.close('never-there')).toBe(false)
    // Its name lingers on for some seconds.
    await expect.poll(() => publisher.exists('plain'), { timeout: 45_000, interval: 6500 }).toBe(false)
    expect(await statusOf('plain')).toBe(403)

    await publisher.publish('short', 'kept for a second', { ttl: 1 })
    await publisher.publish('short', 'kept for a minute', { ttl: 60 })
    await expect.poll(async () => (await publisher.stats('short'))?.stored, { timeout: 10_000, interval: 200 }).toBe(1)

    const several = makePublisher({
      url: nginx.url,
      server: nchanServer({ publisher: '/mpub/{channel}', separator: ',' }),
    })
    await several.publish(['m1', 'm2', 'm 3'], 'all')
    for (const name of ['m1', 'm2', 'm 3']) expect(await publisher.stats(name), name).toMatchObject({ stored: 1 })
    expect(await errorOf(several.publish('m1,m2', 'x'))).toMatchObject({ code: 'bad-channel' })
  })

  test('as a relay, with the directives of the older module', async () => {
    const { url } = await live('push-module')
    const publisher = makePublisher({ url, server: relayServer({ opening: { type: 'open' } }) })
    const statusOf = () => subscribed(`${url}/authorized?id=some_id`)
    expect(await publisher.exists('some_id')).toBe(false)
    expect(await statusOf()).toBe(403)
    expect(await publisher.open('some_id')).toBe(true)
    expect(await statusOf()).toBe(200)
    expect(await publisher.publish('some_id', { type: 'answer', value: 42 })).toMatchObject({ stored: 2 })
    expect(await publisher.delete('some_id')).toBe(true)
  })
})

describe.each([
  ['development server', async () => (await startServer({ settings: { channelsPath: 'project1_$1' } })).url, undefined],
  [
    'module',
    async () => {
      const nginx = await startNginx('push-stream', {
        adjust: (config) => config.replaceAll('channels_path $arg_id', 'channels_path "project1_$arg_id"'),
      })
      cleanup(() => nginx.close())
      return nginx.url
    },
    lacking(missingNginx('push-stream')),
  ],
])('case 16: push_stream_channels_path puts project1_ before names, %s', (_, start, absent) => {
  test.skipIf(absent)('a channel lives under the name that was given, several get a request each', async () => {
    const publisher = makePublisher({ url: await start(), retry: { attempts: 0 } })
    expect(await publisher.exists('a')).toBe(false)
    expect(await publisher.open('a')).toBe(true)
    expect(await publisher.publish('a', 'x')).toMatchObject({ channel: 'a', published: 2 })
    expect(await publisher.publish(['a', 'b'], 'y')).toMatchObject([
      { channel: 'a', published: 3 },
      { channel: 'b', published: 1 },
    ])
    expect(await publisher.stats('b')).toMatchObject({ channel: 'b', stored: 1 })
    expect(await publisher.delete('a')).toBe(true)
    expect(await publisher.exists('a')).toBe(false)
  })

  test.skipIf(absent)(
    'several at first → the outcome is unknown once, and each gets a request from then on',
    async () => {
      const publisher = makePublisher({ url: await start(), retry: { attempts: 0 } })
      expect(await errorOf(publisher.publish(['a', 'b'], 'x'))).toMatchObject({
        code: 'unexpected',
        outcome: 'unknown',
      })
      expect(await publisher.publish(['a', 'b'], 'y')).toMatchObject([
        { channel: 'a', published: 2 },
        { channel: 'b', published: 1 },
      ])
    },
  )
})
