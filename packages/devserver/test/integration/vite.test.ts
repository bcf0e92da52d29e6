import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type InlineConfig, preview } from 'vite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type DevServer, pushStreamDevServer } from '../../src/vite.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pushstream-vite-'))
  writeFileSync(join(root, 'index.html'), '<title>page</title>')
  mkdirSync(join(root, 'dist'))
  writeFileSync(join(root, 'dist', 'index.html'), '<title>built</title>')
})
afterEach(() => rmSync(root, { recursive: true }))

let mounted: DevServer
const config = (): InlineConfig => ({
  root,
  configFile: false,
  logLevel: 'silent',
  server: { port: 0, host: '127.0.0.1' },
  preview: { port: 0, host: '127.0.0.1' },
  plugins: [
    pushStreamDevServer({
      base: '/events',
      onMount: (server) => {
        mounted = server
      },
    }),
  ],
})

const portOf = (server: { httpServer: unknown }) =>
  ((server.httpServer as { address(): AddressInfo }).address() as AddressInfo).port

async function checkStream(port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/events/ws/news`)
  await once(socket, 'open')
  const message = once(socket, 'message')
  const answer = await fetch(`http://127.0.0.1:${port}/events/pub?id=news`, { method: 'POST', body: 'hello' })
  expect(await answer.json()).toMatchObject({ channel: 'news', subscribers: 1 })
  expect(JSON.parse(String((await message)[0]))).toMatchObject({ id: 1, text: 'hello' })
  const ended = once(socket, 'close')
  mounted.reload()
  expect((await ended)[0]).toBe(1005)
}

describe('pushStreamDevServer', () => {
  it('serves push stream in `vite`, and leaves pages and hot reloading alone', async () => {
    const vite = await createServer(config())
    await vite.listen()
    try {
      const port = portOf(vite)
      await checkStream(port)
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('<title>page</title>')
      const hot = new WebSocket(`ws://127.0.0.1:${port}/?token=${vite.config.webSocketToken}`, 'vite-hmr')
      const [connected] = await once(hot, 'message')
      expect(JSON.parse(String(connected))).toEqual({ type: 'connected' })
      const reload = once(hot, 'message')
      vite.ws.send({ type: 'full-reload' })
      expect(JSON.parse(String((await reload)[0]))).toMatchObject({ type: 'full-reload' })
      hot.terminate()
    } finally {
      await vite.close()
    }
  })

  it('serves push stream in `vite preview`', async () => {
    const vite = await preview(config())
    try {
      const port = portOf(vite)
      await checkStream(port)
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('<title>built</title>')
    } finally {
      await vite.close()
    }
  })

  it('lets Vite close while subscribers are there', async () => {
    const vite = await createServer(config())
    await vite.listen()
    const socket = new WebSocket(`ws://127.0.0.1:${portOf(vite)}/events/ws/news`)
    await once(socket, 'open')
    const waiting = fetch(`http://127.0.0.1:${portOf(vite)}/events/lp/news`).catch(() => 'gone')
    const closed = once(socket, 'close')
    await vite.close()
    expect((await closed)[0]).toBe(1006)
    expect(await waiting).toBe('gone')
  })
})
