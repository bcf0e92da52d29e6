import { once } from 'node:events'
import { createServer } from 'node:net'
import { createFaultProxy, freePort } from '@pushstream/testkit'
import { afterEach, expect, test } from 'vitest'

const ends: (() => unknown)[] = []
afterEach(async () => {
  while (ends.length > 0) await ends.pop()?.()
})

async function listenOn(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1')
  ends.push(() => server.close())
  await once(server, 'listening')
}

test('asked again and again → every port is another, below those of listen(0)', async () => {
  const ports = new Set<number>()
  for (let n = 0; n < 200; n++) ports.add(await freePort())
  expect(ports.size).toBe(200)
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(10_000)
  expect(Math.max(...ports)).toBeLessThan(32_000)
})

test('the next ports are taken → one after them', async () => {
  const before = await freePort()
  for (let port = before + 1; port <= before + 3; port++) await listenOn(port)
  expect(await freePort()).toBeGreaterThan(before + 3)
})

test('a proxy refuses → its port is no one else’s, and it comes back there', async () => {
  const proxy = createFaultProxy({ target: 'http://127.0.0.1:9' })
  ends.push(() => proxy.close())
  const { port } = await proxy.listen()
  // Where nothing is handed out by the system.
  expect(port).toBeLessThan(32_000)
  await proxy.refuse(true)
  for (let n = 0; n < 50; n++) expect(await freePort()).not.toBe(port)
  await proxy.refuse(false)
  expect(proxy.port).toBe(port)
  await expect(listenOn(port)).rejects.toThrow('EADDRINUSE')
})
