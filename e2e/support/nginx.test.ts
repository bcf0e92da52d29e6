import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFaultProxy, freePort } from '@pushstream/testkit'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { missingNginx, type Nginx, type NginxOptions, startNginx } from './nginx.js'
import { lacking } from './programs.js'
import { missingRedis, type Redis, startRedis } from './redis.js'

const open: { close(): Promise<void> }[] = []
const keep = <T extends { close(): Promise<void> }>(one: T): T => {
  open.push(one)
  return one
}
const nginxWith = async (config: string, options?: NginxOptions): Promise<Nginx> =>
  keep(await startNginx(config, options))
const redisWith = async (persist: boolean): Promise<Redis> => keep(await startRedis({ persist }))

afterEach(async () => {
  while (open.length > 0) await open.pop()?.close()
})

const alive = (pid: number | undefined) => {
  try {
    process.kill(pid as number, 0)
    // A zombie has ended, but its parent has not read its status yet.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && process.platform !== 'linux'
  }
}
// Other tests make and remove folders meanwhile.
const own = mkdtempSync(join(tmpdir(), 'pushstream-test-'))
vi.stubEnv('TMPDIR', own)
afterAll(() => rmSync(own, { recursive: true }))
const folders = () => readdirSync(own)
const get = async (url: string, init?: RequestInit) => {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(5000) })
  return { status: answer.status, text: await answer.text() }
}
const post = (url: string, body: string) => get(url, { method: 'POST', body })

describe.skipIf(lacking(missingNginx('nchan')))('an nginx of a test', () => {
  it('reloads: other workers, the same master', async () => {
    const nginx = await nginxWith('nchan', { workers: 2 })
    const { pid, workerPids: first } = nginx
    expect(first).toHaveLength(2)
    await nginx.reload()
    await nginx.reload()
    expect(nginx.pid).toBe(pid)
    expect(nginx.workerPids).toHaveLength(2)
    expect(nginx.workerPids.filter((worker) => first.includes(worker))).toEqual([])
    expect(await post(`${nginx.url}/pub/a`, 'x')).toMatchObject({ status: 202 })
  })

  for (const how of ['kill', 'stop', 'quit'] as const) {
    it(`is gone after ${how}, and comes back on its port`, async () => {
      const nginx = await nginxWith('nchan', { workers: 2 })
      const { pid, workerPids } = nginx
      await nginx[how]()
      expect([pid, ...workerPids].filter(alive)).toEqual([])
      expect(nginx.pid).toBeUndefined()
      await expect(get(`${nginx.url}/sub/a`)).rejects.toThrow()
      await nginx.start()
      expect(nginx.pid).not.toBe(pid)
      expect(await post(`${nginx.url}/pub/a`, 'x')).toMatchObject({ status: 202 })
      expect(nginx.crashes).toEqual([])
    })
  }

  it('leaves no process and no folder', async () => {
    const before = folders()
    const nginx = await startNginx('nchan', { workers: 2 })
    const { pid, workerPids } = nginx
    expect([pid, ...workerPids].every(alive)).toBe(true)
    expect(folders().length).toBe(before.length + 1)
    await nginx.close()
    expect([pid, ...workerPids].filter(alive)).toEqual([])
    expect(folders()).toEqual(before)
  })

  it('says why it does not start, and does not leave anything', async () => {
    const before = folders()
    const starting = startNginx('nchan', { adjust: (config) => config.replace('nchan_publisher;', 'nonsense;') })
    await expect(starting).rejects.toThrow(/unknown directive "nonsense"/)
    expect(folders()).toEqual(before)
  })

  it('says why it does not reload, and goes on', async () => {
    const nginx = await nginxWith('nchan')
    writeFileSync(nginx.file, 'nonsense;')
    await expect(nginx.reload()).rejects.toThrow(/nonsense/)
    expect(await post(`${nginx.url}/pub/a`, 'x')).toMatchObject({ status: 202 })
  })

  it('counts the workers that crash', async () => {
    const nginx = await nginxWith('nchan')
    const worker = nginx.workerPids[0] as number
    process.kill(worker, 'SIGSEGV')
    await expect.poll(() => nginx.workerPids.length === 1 && !nginx.workerPids.includes(worker)).toBe(true)
    expect(nginx.crashes).toHaveLength(1)
  })
})

describe.skipIf(lacking(missingNginx('nchan')))('nchan.conf', () => {
  it('has the locations that tests build on', async () => {
    const { url } = await nginxWith('nchan')
    const name = encodeURIComponent('kanal ü, 1/2?#%')
    expect(await post(`${url}/pub/${name}`, 'hello')).toMatchObject({ status: 202 })
    for (const location of ['sub', 'existing', 'auth', 'small']) {
      expect(await get(`${url}/${location}/${name}`), location).toEqual({ status: 200, text: 'hello' })
    }
    expect((await get(`${url}/lpm/${name}`)).text).toContain('hello')
    await post(`${url}/pub/b`, 'on b')
    for (const both of ['multi?channel=b,empty', 'multi/b,empty']) {
      expect(await get(`${url}/${both}`), both).toEqual({ status: 200, text: 'on b' })
    }
    expect(await get(`${url}/existing/never`)).toMatchObject({ status: 403 })
    expect(await get(`${url}/auth/forbidden-1`)).toMatchObject({ status: 403 })
    expect(await get(`${url}/authorize`)).toMatchObject({ status: 404 })
    await post(`${url}/pub/forbidden-1`, 'x')
    expect(await get(`${url}/auth/forbidden-1`)).toMatchObject({ status: 403 })

    for (let n = 1; n <= 12; n++) await post(`${url}/smallpub/s`, `${n}`)
    expect(await get(`${url}/small/s`)).toEqual({ status: 200, text: '3' })
    for (let n = 1; n <= 12; n++) await post(`${url}/pub/l`, `${n}`)
    expect(await get(`${url}/sub/l`)).toEqual({ status: 200, text: '1' })

    const waiting = get(`${url}/newest/l`)
    await expect.poll(async () => (await get(`${url}/pub/l`)).text).toMatch(/active subscribers: 1/)
    await post(`${url}/pub/l`, 'new')
    expect(await waiting).toEqual({ status: 200, text: 'new' })
  })
})

describe.skipIf(lacking(missingRedis(), missingNginx('nchan-redis')))('nchan-redis.conf', () => {
  it('Redis takes its time → a node is started when all of its workers have reached it', async () => {
    const redis = await redisWith(false)
    const way = keep(createFaultProxy({ target: `http://127.0.0.1:${redis.port}` }))
    await way.listen()
    way.blackhole(true, { hold: true })
    const port = await freePort()
    let started = false
    const starting = nginxWith('nchan-redis', {
      port,
      workers: 2,
      values: { redis: `redis://127.0.0.1:${way.port}` },
    }).finally(() => {
      started = true
    })
    const status = () => get(`http://127.0.0.1:${port}/pub/a`).then(({ status }) => status)
    // It accepts connections, but does not answer.
    for (let asked = 0; asked < 20; asked++) await expect.poll(() => status().catch(() => 0)).toBe(503)
    expect(started).toBe(false)
    way.blackhole(false)
    await starting
    for (let asked = 0; asked < 20; asked++) expect(await status()).toBe(404)
  })

  it('two nodes share what is published, also after nginx was killed', async () => {
    const redis = await redisWith(false)
    const values = { redis: redis.url }
    const one = await nginxWith('nchan-redis', { values })
    const other = await nginxWith('nchan-redis', { values })
    await post(`${one.url}/pub/a`, 'shared')
    expect(await get(`${other.url}/sub/a`)).toEqual({ status: 200, text: 'shared' })
    await one.kill()
    await one.start()
    await expect.poll(async () => (await post(`${one.url}/pub/ready`, 'x')).status).toBeLessThan(300)
    expect(await get(`${one.url}/sub/a`)).toEqual({ status: 200, text: 'shared' })
  })
})

describe.skipIf(lacking(missingRedis()))('a redis of a test', () => {
  for (const persist of [true, false]) {
    it(`${persist ? 'keeps' : 'forgets'} what it had when it is killed`, async () => {
      const redis = await redisWith(persist)
      expect(await command(redis, 'SET a 1')).toBe('+OK')
      await redis.kill()
      await redis.start()
      expect(await command(redis, 'GET a')).toBe(persist ? '$1\r\n1' : '$-1')
      await redis.restart()
      expect(await command(redis, 'GET a')).toBe(persist ? '$1\r\n1' : '$-1')
    })
  }
})

async function command({ port }: Redis, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${line}\r\n`))
    socket.once('error', reject)
    socket.once('data', (piece) => {
      socket.destroy()
      resolve(String(piece).trim())
    })
  })
}
