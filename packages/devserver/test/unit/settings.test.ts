import { describe, expect, it } from 'vitest'
import { createDevServer } from '../../src/index.js'
import { negotiate } from '../../src/statistics.js'

describe('settings', () => {
  it.each([
    [{ pingMessageInterval: 0 }, 'pingMessageInterval'],
    [{ messageTemplate: '' }, 'messageTemplate'],
    [{ wildcardChannelMaxQtd: 1 }, 'wildcardChannelPrefix'],
    [{ mesageTtl: 1 } as object, 'unknown setting "mesageTtl"'],
    [{ paddingByUserAgent: 'x' }, 'paddingByUserAgent'],
    [{ largeClientHeaderBuffers: '8k' }, 'largeClientHeaderBuffers'],
    [{ channelsPath: 'shop' }, 'channelsPath'],
  ])('%j is refused at once', (settings, reason) => {
    expect(() => createDevServer({ settings })).toThrow(reason)
  })

  it('refuses impossible workers and locations', () => {
    expect(() => createDevServer({ workers: 0 })).toThrow('workers')
    expect(() => createDevServer({ locations: [{ path: 'ws', mode: 'websocket' }] })).toThrow('"ws"')
  })
})

describe('negotiate', () => {
  it.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['text/plain', 'text/plain'],
    ['text/html, application/xml;q=0.9', 'application/xml'],
    ['text/x-yaml', 'text/x-yaml'],
  ])('%j', (accept, contentType) => expect(negotiate(accept).contentType).toBe(contentType))
})
