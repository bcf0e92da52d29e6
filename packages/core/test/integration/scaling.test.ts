import { nchan } from '@pushstream/core'
import { describe, expect, test } from 'vitest'
import { startGuide } from '../../../../e2e/support/nginx-guide.js'
import { lacking } from '../../../../e2e/support/programs.js'
import { missingRedis, startRedis } from '../../../../e2e/support/redis.js'
import { missing } from './nchan-support.js'
import { cleanup, record } from './support.js'

describe.skipIf(lacking(missing, missingRedis()) !== undefined)('docs/guides/scaling.md', () => {
  test('two nodes as the guide configures them, one is killed → each message once, no gap', async () => {
    const redis = await startRedis({ persist: true })
    cleanup(() => redis.close())
    const start = async () => {
      const node = await startGuide('guides/scaling', 'Nchan', { changes: [['redis://127.0.0.1:6379', redis.url]] })
      cleanup(() => node.close())
      return node
    }
    const [first, second] = [await start(), await start()]
    const recording = record({ url: [first.url, second.url], modes: ['websocket'], protocol: nchan() })
    recording.stream.addChannel('news').connect()
    await recording.until(() => recording.stream.status.state === 'open')
    const texts = Array.from({ length: 60 }, (_, n) => `text ${n}`)
    for (const [n, body] of texts.entries()) {
      if (n === 20) await first.nginx.kill()
      if (n === 40) await first.nginx.start()
      const { ok } = await fetch(`${second.url}pub/news`, { method: 'POST', body })
      expect(ok).toBe(true)
    }
    await recording.until(() => recording.messages.length >= texts.length)
    expect(recording.messages.map(({ text }) => text)).toEqual(texts)
    expect(recording.gaps).toEqual([])
  })
})
