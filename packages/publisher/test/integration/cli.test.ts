import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createScriptedServer } from '@pushstream/testkit'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../../src/run.js'
import { cleanup, startProxy, startServer } from './support.js'

/** Byte by byte, as bad as it gets. */
async function* pieces(text: string | Uint8Array): AsyncGenerator<Uint8Array> {
  for (const byte of Buffer.from(text)) yield Uint8Array.of(byte)
}

async function command(
  args: readonly string[],
  more: { stdin?: string | Uint8Array; env?: Record<string, string>; signal?: AbortSignal } = {},
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
    stdin: () => pieces(more.stdin ?? ''),
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
  const lines = Array.from({ length: 50 }, (_, i) => `line é😀 ${i}`)
  const many = await command(['--url', url, '-c', 'b', '-c', 'c', '--lines', '-'], {
    stdin: `\n${lines.join('\r\n\n')}`,
  })
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
    stdin: () => pieces(''),
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
  [['watch', '--url', 'http://127.0.0.1:1', '--interval', '2147483648'], '--interval'],
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
  expect(await publish()).toMatchObject({ code: 1, err: expect.stringContaining('is running') })
})

test('helps', async () => {
  const { code, out } = await command(['--help'])
  expect(code).toBe(0)
  expect(out).toContain('pushstream-publish --url')
})

test('--version → the version of the package', async () => {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
  expect(await command(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
  expect(await command(['watch', '--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
})

test.each([
  [['--chanel', 'a', 'x'], "Unknown option '--chanel'. Did you mean '--channel'?"],
  [['stats', '--prefx=a'], "Unknown option '--prefx'. Did you mean '--prefix'?"],
  [['--eventid', 'e', 'x'], "Did you mean '--event-id'?"],
  [['--url', 'http://h', '-c', 'a', '--server', 'nchann', 'x'], "Did you mean 'nchan'?"],
  [['--url', 'http://h', 'wacth'], "Did you mean 'watch'?"],
])('%j → the error says what was meant', async (args, reason) => {
  expect(await command(args)).toEqual({ code: 2, out: '', err: expect.stringContaining(reason) })
})

test('an option that resembles none → no guess', async () => {
  expect((await command(['--completely-different', 'x'])).err).not.toContain('Did you mean')
})

test('what is no UTF-8 is not published as something else', async () => {
  const { url, server } = await startServer()
  const stdin = Uint8Array.of(0x61, 0xff)
  expect(await command(['--url', url, '-c', 'a', '-'], { stdin })).toMatchObject({
    code: 2,
    err: expect.stringContaining('UTF-8'),
  })
  expect(await command(['--url', url, '-c', 'a', '--lines', '-'], { stdin })).toMatchObject({ code: 2 })
  expect(await command(['--url', url, '-c', 'a', '-'], { stdin: Uint8Array.of(0x61, 0xc3) })).toMatchObject({ code: 2 })
  expect(server.store.find('a')).toBe(undefined)
  expect(await command(['--url', url, '-c', 'a', '-'], { stdin: '\ufeffx' })).toMatchObject({ code: 0 })
  expect(server.store.find('a')?.messages[0]?.text.toString()).toBe('\ufeffx')
})

test('failures of lines are told as they come, five of them, and counted', async () => {
  const server = createScriptedServer()
  const { url } = await server.listen()
  cleanup(() => server.close())
  const args = ['--url', url, '-c', 'a', '--lines', '--retries', '0', '-']
  server.on('POST /pub*', (exchange) => exchange.respond(403, {}, ''))
  const { code, out, err } = await command(args, { stdin: '1\n2\n3\n4\n5\n6\n7' })
  expect([code, out]).toEqual([1, '0 of 7 published\n'])
  expect(err.trim().split('\n')).toHaveLength(6)
  expect(err).toContain('… and 2 more')
})

test('no name of a channel is obeyed by the terminal', async () => {
  const { url } = await startServer()
  await fetch(`${url}/pub?id=${encodeURIComponent('\u001b[2Jx\u009by')}`, { method: 'POST', body: 'x' })
  const { out } = await command(['stats', '--url', url, '--all'])
  expect(out).toBe('\\u001b[2Jx\\u009by: published 1, stored 1, subscribers 0\n')
  const json = (await command(['stats', '--url', url, '--all', '--json'])).out
  expect(json).not.toMatch(/[^\P{Cc}\n]/u)
  expect(JSON.parse(json)).toMatchObject({ channel: '\u001b[2Jx\u009by' })
})

describe('as a process', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pushstream-publish-'))
    const ssr = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
    await build({ configFile: false, logLevel: 'silent', build: { ssr, outDir: folder, minify: false } })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  function start(...args: string[]) {
    const child = spawn(process.execPath, [join(folder, 'cli.js'), ...args])
    cleanup(() => void child.kill('SIGKILL'))
    const told = { out: '', err: '' }
    child.stdout.on('data', (data) => {
      told.out += data
    })
    child.stderr.on('data', (data) => {
      told.err += data
    })
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    return { child, told, ended }
  }

  test('publishes a line when it is there, not when its input ends', async () => {
    const { url, server } = await startServer()
    const { child, told, ended } = start('--url', url, '-c', 'a', '--lines', '-')
    child.stdin.write('first\nsec')
    await expect.poll(() => server.store.find('a')?.messages.length, { timeout: 10_000 }).toBe(1)
    child.stdin.end('ond\nthird')
    expect(await ended).toBe(0)
    expect(told).toEqual({ out: '3 of 3 published\n', err: '' })
    expect(server.store.find('a')?.messages.map(({ text }) => text.toString())).toEqual(['first', 'second', 'third'])
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends what waits for its input', async (signal) => {
    const { url, server } = await startServer()
    for (const more of [[], ['--lines']]) {
      const { child, ended } = start('--url', url, '-c', 'a', ...more, '-')
      // More than a pipe holds: once that is gone, it reads.
      await new Promise((resolve) => child.stdin.write('x'.repeat(2 ** 20), resolve))
      child.kill(signal)
      expect(await ended).toBe(1)
    }
    // What was not a whole line, or not the whole input, is no message.
    expect(server.store.find('a')).toBe(undefined)
  })

  test('a reader that goes away ends watching, without a trace', async () => {
    const { url } = await startServer()
    const { child, told, ended } = start('watch', '--url', url, '--interval', '10')
    await once(child.stdout, 'data')
    child.stdout.destroy()
    expect(await ended).toBe(0)
    expect(told.err).toBe('')
  })

  test('nothing keeps it once it is done', async () => {
    const { url } = await startServer()
    // Its standard input stays open.
    const { told, ended } = start('--url', url, '-c', 'a', 'x')
    expect(await ended).toBe(0)
    expect(told.out).toBe('a: published 1, stored 1, subscribers 0\n')
    const nobody = start('--url', 'http://127.0.0.1:1', '-c', 'a', '--retries', '0', 'x')
    expect(await nobody.ended).toBe(1)
    expect(nobody.told.err).toMatch(/^pushstream-publish: .*reached/)
  })
})
