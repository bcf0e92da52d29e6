import { describe, expect, test } from 'vitest'
import { Guide } from '../../../../e2e/support/guide.js'
import { missingNginx, pushStreamModule } from '../../../../e2e/support/nginx.js'
import { type NginxGuide, startGuide } from '../../../../e2e/support/nginx-guide.js'
import { lacking, withoutModule } from '../../../../e2e/support/programs.js'
import { ask, using } from '../support/asking.js'

// The configurations of docs/guides, as they are written.

const withoutNchan = lacking(missingNginx('nchan')) !== undefined

describe.skipIf(withoutNchan)('docs/guides/security.md', () => {
  test('a page of another origin → refused by the condition of the guide', async () => {
    const guide = await Guide.open('guides/security', { changes: () => [] })
    const condition = guide.block('nginx', '$http_origin')
    await guide.close()
    const adjust = (config: string) => config.replace('nchan_subscriber;', `$&\n${condition.replaceAll('$', '$$$$')}`)
    await using(startGuide('start/nchan', 'Nchan', { adjust }), async ({ url }) => {
      const from = (Origin: string) =>
        ask(new URL(url).host, '/sub/news', { headers: { Accept: 'text/event-stream', ...(Origin && { Origin }) } })
      expect(await from('')).toBe(200)
      expect(await from('https://www.example.org')).toBe(200)
      expect(await from('https://www.example.org.evil.example')).toBe(403)
      expect(await from('https://evil.example')).toBe(403)
    })
  })
})

/** The rows of the table of docs/guides/monitoring.md, with what stands in a column. */
const rowsOf = (guide: Guide, column: number) =>
  guide.text
    .split('\n')
    .filter((line) => /^\| (subscribers|channels|published|stored|memory) /.test(line))
    .flatMap((line) => /^`(.*)`$/.exec(line.split('|')[column]?.trim() ?? '')?.[1] ?? [])

describe('docs/guides/monitoring.md', () => {
  async function watched(name: string, loaded: 'Nchan' | 'module', containing: string, column: number) {
    const guide = await Guide.open('guides/monitoring', { changes: () => [] })
    const locations = [containing, '# nginx itself'].map((text) => guide.block('nginx', text))
    await guide.close()
    const adjust = (config: string) => config.replace('listen', `${locations.join('').replaceAll('$', '$$$$')}$&`)
    return { names: rowsOf(guide, column), server: await startGuide(name, loaded, { adjust }) }
  }
  const read = async ({ url }: NginxGuide, path: string) => (await fetch(url + path)).text()

  test.skipIf(withoutNchan)('Nchan → the numbers have the names of the table', async () => {
    const { names, server } = await watched('start/nchan', 'Nchan', 'nchan_stub_status;', 3)
    await using(Promise.resolve(server), async ({ url }) => {
      await fetch(`${url}pub/news`, { method: 'POST', body: 'x' })
      const text = await read(server, 'nchan_stub_status')
      expect(names).toHaveLength(5)
      for (const name of names) expect(text).toMatch(new RegExp(`^${name}: \\d+`, 'm'))
      expect(await read(server, 'stub_status')).toContain('Active connections: ')
      expect(await ask(new URL(url).host, '/nchan_stub_status', { from: '127.0.0.2' })).toBe(403)
    })
  })

  test.skipIf(lacking(pushStreamModule() === undefined ? withoutModule : missingNginx('push-stream')))(
    'the push stream module → the numbers have the names of the table',
    async () => {
      const { names, server } = await watched('start/push-stream', 'module', 'push_stream_channels_statistics;', 2)
      await using(Promise.resolve(server), async () => {
        const numbers = JSON.parse(await read(server, 'channels-stats')) as Record<string, unknown>
        expect(names).toEqual(['subscribers', 'channels', 'published_messages', 'stored_messages'])
        for (const name of names) expect(Number(numbers[name])).toBeGreaterThanOrEqual(0)
      })
    },
  )
})
