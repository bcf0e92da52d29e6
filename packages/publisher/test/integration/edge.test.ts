import { createContext, runInContext } from 'node:vm'
import type * as Entry from '@pushstream/publisher'
import type * as Auth from '@pushstream/publisher/auth'
import { build, type Rolldown } from 'vite'
import { expect, test } from 'vitest'
import { startServer } from './support.js'

// An edge runtime: what fetch's standard has, and nothing of Node.

/** The package as it is built, in one file that defines a global. */
async function bundled(entry: string): Promise<string> {
  const outside: string[] = []
  const [result] = (await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      lib: { entry: new URL(`../../src/${entry}`, import.meta.url).pathname, formats: ['iife'], name: 'entry' },
      rolldownOptions: {
        external: (id) => {
          if (/^[./]/.test(id)) return false
          outside.push(id)
          return true
        },
      },
    },
  })) as Rolldown.RolldownOutput[]
  // Not core, either: of that it knows types.
  expect(outside).toEqual([])
  return (result as Rolldown.RolldownOutput).output[0].code
}

const globals = {
  AbortController, AbortSignal, crypto, DOMException, Headers, queueMicrotask, Request, Response, TextDecoder, TextEncoder, URL,
  clearTimeout, setTimeout, performance, ReadableStream,
} // biome-ignore format: one list

test('publishes and manages channels by a fetch that knows the least', async () => {
  const { url } = await startServer()
  const options = new Set<string>()
  // Neither keepalive nor duplex, no signal, and headers of a connection are none of its business.
  const poor = async (input: string, init: RequestInit) => {
    for (const name of Object.keys(init)) options.add(name)
    const { method, body, redirect } = init
    const headers = new Headers(init.headers)
    headers.delete('Connection')
    return fetch(input, { method, body, redirect, headers } as RequestInit)
  }
  const context = createContext({ ...globals, fetch: poor })
  const { Publisher, ChannelManager } = runInContext(`${await bundled('index.ts')};entry`, context) as typeof Entry
  const publisher = new Publisher({ url })
  const manager = new ChannelManager({ publisher })
  const channel = await manager.allocate('ann')
  expect(await manager.push('ann', { type: 'answer', value: 42 })).toMatchObject({ channel, published: 2 })
  expect(await publisher.publish(['a', 'b'], 'he said "hi"')).toHaveLength(2)
  expect((await publisher.stats({ all: true })).map(({ channel }) => channel).sort()).toEqual(['a', 'b', channel])
  await manager.closeAll()
  expect([...options].sort()).toEqual(['body', 'headers', 'method', 'redirect', 'signal'])
})

test('answers auth_request', async () => {
  const context = createContext({ ...globals })
  const { createAuthorizer } = runInContext(`${await bundled('auth.ts')};entry`, context) as typeof Auth
  const { respond } = createAuthorizer({ allow: (channel) => channel === 'global' })
  const ask = async (address: string) =>
    (await respond(new Request('http://a/', { headers: { 'X-Original-URI': address } }))).status
  expect(await ask('/ws/global')).toBe(204)
  expect(await ask('/ws/secret')).toBe(403)
})
