import { createScriptedServer } from '@pushstream/testkit'
import { expect, test } from 'vitest'
import { run } from '../../src/cli.js'
import { cleanup, startProxy, startServer } from './support.js'

async function command(
  args: readonly string[],
  more: { stdin?: string; env?: Record<string, string>; signal?: AbortSignal } = {},
) {
  let out = ''
  let err = ''
  const code = await run(args, {
    stdout: (text) => {
      out += text
    },
    stderr: (text) => {
      err += text
    },
    stdin: async () => more.stdin ?? '',
    env: more.env ?? {},
    signal: more.signal,
  })
  return { code, out, err }
}

test('publishes, and tells what the server says', async () => {
  const { url, server } = await startServer()
  const json = '{"type":"answer","value":42}'
  expect(await command(['--url', url, '--channel', 'global', json])).toEqual({
    code: 0,
    out: 'global: published 1, stored 1, subscribers 0\n',
    err: '',
  })
  expect(server.store.find('global')?.messages[0]?.text.toString()).toBe(encodeURIComponent(json))
  const second = await command(
    ['-c', 'global', '-c', 'b', '--event-id', 'e1', '--event-type', 'news', '--json', 'watch'],
    {
      env: { PUSHSTREAM_URL: url },
    },
  )
  expect(second.code).toBe(0)
  expect(
    second.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { channel: 'global', published: 2 },
    { channel: 'b', published: 1 },
  ])
  expect(server.store.find('b')?.messages[0]).toMatchObject({ eventId: 'e1', eventType: 'news' })
  expect(server.store.find('b')?.messages[0]?.text.toString()).toBe('watch')
  expect(await command(['--url', url, '-c', 'raw', '--text', 'raw', '-q', json])).toEqual({ code: 0, out: '', err: '' })
  expect(server.store.find('raw')?.messages[0]?.text.toString()).toBe(json)
})

test('reads the standard input, whole or line by line', async () => {
  const { url, server } = await startServer()
  const texts = (channel: string) =>
    server.store.find(channel)?.messages.map(({ text }) => decodeURIComponent(text.toString()))
  expect(await command(['--url', url, '-c', 'a', '-'], { stdin: 'one\ntwo\n' })).toMatchObject({ code: 0 })
  expect(texts('a')).toEqual(['one\ntwo'])
  const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`)
  const many = await command(['--url', url, '-c', 'b', '-c', 'c', '--lines', '-'], { stdin: lines.join('\n') })
  expect(many).toEqual({ code: 0, out: '100 of 100 published\n', err: '' })
  expect(texts('b')).toEqual(lines)
  expect(texts('c')).toEqual(lines)
})

test('the life of a channel', async () => {
  const { url } = await startServer()
  const at = (name: string, ...more: string[]) => command([name, '--url', url, ...more])
  expect(await at('exists', '-c', 'a')).toMatchObject({ code: 1, out: 'a: not there\n' })
  expect(await at('open', '-c', 'a')).toMatchObject({ code: 0, out: 'a: opened\n' })
  expect(await at('open', '-c', 'a')).toMatchObject({ code: 0, out: 'a: was open\n' })
  expect(await at('exists', '-c', 'a')).toMatchObject({ code: 0, out: 'a: there\n' })
  expect(await at('stats', '-c', 'a', '-c', 'b')).toMatchObject({
    out: 'a: published 1, stored 1, subscribers 0\nb: not there\n',
  })
  expect(await at('stats', '--prefix', 'a')).toMatchObject({ out: 'a: published 1, stored 1, subscribers 0\n' })
  expect((await at('stats')).out).toMatch(/^server: channels 1, published 1, stored 1, subscribers 0, uptime \d+\n$/)
  expect(await at('delete', '-c', 'a', '-c', 'b')).toMatchObject({ code: 0, out: 'a: deleted\nb: was not there\n' })
})

test('watches until it is interrupted, also while the server is away', async () => {
  const { url } = await startServer()
  const proxy = await startProxy(url)
  await command(['--url', url, '-c', 'a', 'x'])
  const abort = new AbortController()
  let out = ''
  let err = ''
  const done = run(['watch', '--url', proxy.url, '-c', 'a', '--interval', '10', '--retries', '0'], {
    stdout: (text) => {
      out += text
    },
    stderr: (text) => {
      err += text
    },
    stdin: async () => '',
    env: {},
    signal: abort.signal,
  })
  const lines = () => out.split('\n').length
  await expect.poll(lines).toBeGreaterThan(3)
  await proxy.refuse(true)
  await expect.poll(() => err).toContain('reached')
  await proxy.refuse(false)
  const before = lines()
  await expect.poll(lines).toBeGreaterThan(before + 2)
  abort.abort()
  expect(await done).toBe(0)
  expect(out).toMatch(/^(a: published 1, stored 1, subscribers 0\n)+$/)
})

test.each([
  [[], 'PUSHSTREAM_URL'],
  [['--url', 'http://127.0.0.1:1'], 'Which channel?'],
  [['--url', 'http://127.0.0.1:1', '-c', 'a'], 'What message?'],
  [['--url', 'http://127.0.0.1:1', '-c', 'a', 'two', 'words'], 'quotes'],
  [['--url', 'nonsense', '-c', 'a', 'x'], "'url'"],
  [['--url', 'http://127.0.0.1:1', '-c', 'a/b', 'x'], "can't contain"],
  [['--url', 'http://127.0.0.1:1', '-c', 'a', '--server', 'apache', 'x'], '--server'],
  [['--url', 'http://127.0.0.1:1', '-c', 'a', '--server', 'nchan', '--text', 'raw', 'x'], '--text'],
  [['--url', 'http://127.0.0.1:1', '-c', 'a', '-H', 'nonsense', 'x'], '--header'],
  [['--url', 'http://127.0.0.1:1', '-c', 'a', '--timeout', 'soon', 'x'], '--timeout'],
  [['--url', 'http://127.0.0.1:1', '-c', 'a', '--nope', 'x'], '--nope'],
  [['stats', '--url', 'http://127.0.0.1:1', '-c', 'a', '--all'], 'one of them'],
  [['stats', '--url', 'http://127.0.0.1:1', '--server', 'nchan', '--all'], "can't list"],
  [['watch', '--url', 'http://127.0.0.1:1', 'x'], 'no message'],
])('%j is not understood, and ends with 2', async (args, said) => {
  const { code, err, out } = await command(args)
  expect(code).toBe(2)
  expect(err).toContain(said)
  expect(out).toBe('')
})

test('ends with 1 when it was not published, and with 3 when nobody knows', async () => {
  const server = createScriptedServer()
  const { url } = await server.listen()
  cleanup(() => server.close())
  const publish = () => command(['--url', url, '-c', 'a', '--retries', '0', 'x'])
  expect(await publish()).toMatchObject({ code: 1, err: expect.stringContaining('404') })
  server.on('POST /pub*', (exchange) => exchange.respond(502, {}, ''))
  expect(await publish()).toMatchObject({ code: 3, err: expect.stringContaining('502') })
  await server.close()
  expect(await publish()).toMatchObject({ code: 1, err: expect.stringContaining('is it running?') })
})

test('helps', async () => {
  const { code, out } = await command(['--help'])
  expect(code).toBe(0)
  expect(out).toContain('pushstream-publish --url')
})
