import { ChannelManager, type ChannelStore, memoryStore } from '@pushstream/publisher'
import { describe, expect, test } from 'vitest'
import { errorOf, makePublisher, startProxy, startServer } from './support.js'

async function start(store?: ChannelStore) {
  const { server, url } = await startServer({ settings: { authorizedChannelsOnly: true } })
  const proxy = await startProxy(url)
  const publisher = makePublisher({ url: proxy.url, retry: { attempts: 0 } })
  const manager = new ChannelManager({ publisher, ...(store && { store }) })
  const subscribed = async (channel: string) => {
    const abort = new AbortController()
    const { status } = await fetch(`${url}/ev/${channel}`, { signal: abort.signal })
    abort.abort()
    return status
  }
  return { server, proxy, publisher, manager, subscribed }
}

test('from login to sign-out', async () => {
  const { manager, publisher, subscribed } = await start()
  expect(await manager.push('ann', 'nobody')).toBe(undefined)
  const channel = await manager.allocate('ann')
  expect(channel).toMatch(/^user-[0-9a-f]{32}$/)
  expect(await manager.allocate('ann')).toBe(channel)
  expect(await manager.channelOf('ann')).toBe(channel)
  expect(await manager.isOpen('ann')).toBe(true)
  expect(await subscribed(channel)).toBe(200)
  expect(await manager.push('ann', { type: 'answer', value: 42 })).toMatchObject({ channel, published: 2 })
  const other = await manager.allocate('bob')
  expect(other).not.toBe(channel)
  expect(await manager.broadcast('to all')).toMatchObject([
    { channel, published: 3 },
    { channel: other, published: 2 },
  ])
  expect(await manager.close('ann')).toBe(true)
  expect(await manager.close('ann')).toBe(false)
  expect(await manager.isOpen('ann')).toBe(false)
  expect(await subscribed(channel)).toBe(403)
  expect(await manager.push('ann', 'gone')).toBe(undefined)
  expect(await publisher.exists(channel)).toBe(false)
  // Whoever comes back gets another.
  expect(await manager.allocate('ann')).not.toBe(channel)
  await manager.closeAll()
  expect(await publisher.stats({ all: true })).toEqual([])
})

test('a channel that the server lost is not made by a push, and is opened again by the next page', async () => {
  const { manager, server, subscribed } = await start()
  const channel = await manager.allocate('ann')
  server.restart()
  expect(await manager.isOpen('ann')).toBe(false)
  expect(await manager.push('ann', 'x')).toBe(undefined)
  expect(await subscribed(channel)).toBe(403)
  expect(await manager.allocate('ann')).toBe(channel)
  expect(await subscribed(channel)).toBe(200)
  server.restart()
  expect(await manager.push('ann', 'x', { check: false })).toMatchObject({ published: 1 })
})

test('many logins of one user at a time are one channel, opened once', async () => {
  const { manager, publisher } = await start()
  const all = await Promise.all(Array.from({ length: 20 }, () => manager.allocate('ann')))
  expect(new Set(all).size).toBe(1)
  expect(await publisher.stats(all[0] as string)).toMatchObject({ published: 1 })
})

test('a login during the sign-out comes after it', async () => {
  const { manager } = await start()
  const first = await manager.allocate('ann')
  const [, second] = await Promise.all([manager.close('ann'), manager.allocate('ann')])
  expect(second).not.toBe(first)
  expect(await manager.isOpen('ann')).toBe(true)
})

test('a sign-out that fails is known, and can be done again', async () => {
  const { manager, proxy } = await start()
  const channel = await manager.allocate('ann')
  await proxy.refuse(true)
  proxy.cut()
  expect(await errorOf(manager.close('ann'))).toMatchObject({ code: 'unreachable' })
  expect(await manager.channelOf('ann')).toBe(channel)
  await proxy.refuse(false)
  expect(await manager.close('ann')).toBe(true)
  expect(await manager.channelOf('ann')).toBe(undefined)
})

test('a push during the sign-out makes no channel again', async () => {
  const { manager, publisher } = await start()
  for (const check of [true, false]) {
    const channel = await manager.allocate('ann')
    const done = await Promise.all([
      manager.push('ann', 'before', { check }),
      manager.close('ann'),
      manager.push('ann', 'after', { check }),
      manager.broadcast('to all'),
    ])
    expect(done).toMatchObject([{ channel }, true, undefined, []])
    expect(await publisher.exists(channel)).toBe(false)
  }
  expect(await publisher.stats({ all: true })).toEqual([])
})

test('what waits for its turn can be given up', async () => {
  const { manager, proxy } = await start()
  await manager.allocate('ann')
  proxy.blackhole(true)
  const slow = new AbortController()
  const closing = errorOf(manager.close('ann', { signal: slow.signal }))
  const abort = new AbortController()
  const waiting = [
    manager.allocate('ann', { signal: abort.signal }),
    manager.push('ann', 'x', { signal: abort.signal }),
    manager.broadcast('x', { signal: abort.signal }),
  ].map(errorOf)
  await new Promise((resolve) => setImmediate(resolve))
  abort.abort()
  for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'aborted', outcome: 'no' })
  slow.abort()
  expect(await closing).toMatchObject({ code: 'aborted', outcome: 'unknown' })
  proxy.blackhole(false)
  expect(await manager.close('ann')).toBe(true)
})

test('keys that nobody signed out are forgotten when the server has their channels no more', async () => {
  const { manager, server, publisher } = await start()
  for (const key of ['ann', 'bob']) await manager.allocate(key)
  expect(await manager.prune()).toBe(0)
  server.restart()
  const again = await manager.allocate('bob')
  expect(await manager.prune()).toBe(1)
  expect(await manager.channelOf('ann')).toBe(undefined)
  expect(await manager.channelOf('bob')).toBe(again)
  // The publisher doesn't remember it either, and makes none again.
  expect(publisher.opened).toEqual([again])
  expect(await publisher.broadcast('x')).toHaveLength(1)
})

describe('a store', () => {
  const faulty = (more: Partial<ChannelStore>): ChannelStore => ({ ...memoryStore(), ...more })

  test('that says null has nothing', async () => {
    const memory = memoryStore()
    const { manager } = await start(faulty({ ...memory, get: async (key) => (await memory.get(key)) ?? null }))
    expect(await manager.channelOf('ann')).toBe(undefined)
    expect(await manager.isOpen('ann')).toBe(false)
    expect(await manager.push('ann', 'x')).toBe(undefined)
    expect(await manager.close('ann')).toBe(false)
    expect(await manager.push('ann', 'x')).toBe(undefined)
    expect(await manager.allocate('ann')).toMatch(/^user-/)
  })

  test('whose add says something else than the channel gives nobody the same', async () => {
    const { manager } = await start(faulty({ add: () => 'OK' }))
    expect(await errorOf(manager.allocate('ann'))).toMatchObject({ code: 'bad-option' })
    const none = await start(faulty({ add: () => undefined as never }))
    expect(await errorOf(none.manager.allocate('ann'))).toMatchObject({ code: 'bad-option' })
  })

  test.each(['get', 'add', 'delete', 'entries'] as const)('whose %s throws blocks nothing', async (method) => {
    let broken = false
    const memory = memoryStore()
    const store = faulty({
      ...memory,
      [method]: (...args: never[]) => {
        if (broken) throw new Error('the database is away')
        return (memory[method] as (...args: never[]) => unknown)(...args)
      },
    })
    const { manager, publisher } = await start(store)
    if (method !== 'add') await manager.allocate('ann')
    broken = true
    const call = {
      get: () => manager.push('ann', 'x'),
      add: () => manager.allocate('ann'),
      delete: () => manager.close('ann'),
      entries: () => manager.closeAll(),
    }
    await expect(call[method]()).rejects.toThrow('the database is away')
    broken = false
    const channel = await manager.allocate('ann')
    expect(await manager.push('ann', 'x')).toMatchObject({ channel })
    await manager.closeAll()
    expect(await publisher.stats({ all: true })).toEqual([])
  })
})

describe('a store of several processes', () => {
  test('who is quicker decides', async () => {
    const memory = memoryStore()
    const pause = () => new Promise<void>((resolve) => setImmediate(resolve))
    const store: ChannelStore = {
      get: (key) => pause().then(() => memory.get(key)),
      add: (key, channel) => pause().then(() => memory.add(key, channel)),
      delete: (key) => pause().then(() => memory.delete(key)),
      async *entries() {
        yield* memory.entries() as Iterable<readonly [string, string]>
      },
    }
    const { manager, publisher } = await start(store)
    const another = new ChannelManager({ publisher, store })
    const [one, two] = await Promise.all([manager.allocate('ann'), another.allocate('ann')])
    expect(one).toBe(two)
    expect(await another.push('ann', 'x')).toMatchObject({ channel: one })
    expect(await manager.broadcast('x')).toHaveLength(1)
    await manager.closeAll()
    expect(await another.isOpen('ann')).toBe(false)
  })
})

test('what is no option is refused', async () => {
  const { publisher, manager } = await start()
  for (const options of [{}, { publisher, prefix: 'a/b' }, { publisher, bits: 8 }]) {
    expect(() => new ChannelManager(options as never)).toThrow(expect.objectContaining({ code: 'bad-option' }))
  }
  expect(await errorOf(manager.allocate(''))).toMatchObject({ code: 'bad-option' })
})
