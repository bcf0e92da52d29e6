import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../src/run.js'

async function command(...argv: string[]) {
  const said = { stdout: '', stderr: '' }
  const result = await run(argv, {
    stdout: (text) => {
      said.stdout += text
    },
    stderr: (text) => {
      said.stderr += text
    },
  })
  return { ...said, result }
}

describe('pushstream-devserver', () => {
  it('serves, with settings', async () => {
    const { result, stdout } = await command('--port', '0', '--base', '/events', '--set', 'messageTemplate=<~text~>')
    if (!('server' in result)) throw new Error('no server')
    try {
      expect(stdout).toBe(`push stream on ${result.url}/events\n`)
      await fetch(`${result.url}/events/pub?id=a`, { method: 'POST', body: 'x' })
      expect(await (await fetch(`${result.url}/events/pl/a.b1`)).text()).toBe('<x>')
      const taken = await command('--port', new URL(result.url).port)
      expect(taken.result).toEqual({ code: 1 })
      expect(taken.stderr).toContain('is taken')
    } finally {
      await result.server.close()
    }
  })

  describe('--config', () => {
    let dir = ''
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'pushstream-devserver-'))
    })
    afterAll(() => rm(dir, { recursive: true }))
    const write = async (name: string, text: string) => {
      const file = join(dir, name)
      await writeFile(file, text)
      return file
    }
    const relay = {
      port: 0,
      address: '127.0.0.1',
      store: { type: 'memory', min_messages: 0, max_messages: 100, message_timeout: 10 },
      locations: [
        { type: 'subscriber', url: '/updates/([^/]+)', polling: 'interval', create_on_get: true },
        { type: 'publisher', url: '/send-update/([^/]+)' },
      ],
    }

    it.each<[string, string]>([
      ['options.json', JSON.stringify({ base: '/events', settings: { messageTemplate: '<~text~>' }, relay })],
      [
        'options.mjs',
        `export default { base: '/events', settings: { messageTemplate: '<~text~>' }, relay: ${JSON.stringify(relay)} }`,
      ],
    ])('%s → its options, and those of the command line before them', async (name, text) => {
      const { result } = await command('--config', await write(name, text), '--set', 'headerTemplate=head')
      if (!('server' in result)) throw new Error('no server')
      try {
        result.server.publish('a', 'x')
        expect(await (await fetch(`${result.url}/events/pl/a.b1`)).text()).toBe('head<x>')
        await fetch(`${result.url}/send-update/main`, { method: 'POST', body: 'update' })
        expect(await (await fetch(`${result.url}/updates/main`)).text()).toBe('update')
      } finally {
        await result.server.close()
      }
    })

    it.each<[string, string, string]>([
      ['text.json', 'port: 1', 'text.json'],
      ['list.json', '[]', 'options are an object'],
      ['unknown.json', '{"prot":1}', 'unknown option "prot". Did you mean'],
      ['base.json', '{"base":"events"}', '--base must begin with "/"'],
      ['relay.json', '{"relay":{"locations":[{"type":"x"}]}}', 'relay location: type is'],
      ['port.json', '{"port":-1}', '--port must be a whole number'],
    ])('%s that says %s → an error that says why', async (name, text, reason) => {
      const { result, stderr } = await command('--config', await write(name, text))
      expect(result).toEqual({ code: 1 })
      expect(stderr).toContain(reason)
    })

    it('a file that is not there → an error that names it', async () => {
      expect((await command('--config', join(dir, 'nowhere.json'))).stderr).toContain('nowhere.json')
    })
  })

  it('helps', async () => {
    const { result, stdout, stderr } = await command('--help')
    expect([result, stderr]).toEqual([{ code: 0 }, ''])
    expect(stdout).toContain('--port <n>')
  })

  it('tells its version', async () => {
    const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
    expect(await command('--version')).toEqual({ stdout: `${version}\n`, stderr: '', result: { code: 0 } })
  })

  it.each([
    [['--prot', '1'], "Unknown option '--prot'. Did you mean '--port'?"],
    [['--orign=*'], "Unknown option '--orign'. Did you mean '--origin'?"],
    [['--verison'], "Did you mean '--version'?"],
    [['--set', 'mesageTemplate=x'], "Did you mean 'messageTemplate'?"],
    [['--set', 'storemessages=on'], "Did you mean 'storeMessages'?"],
  ])('%j → the error says what was meant', async (argv, reason) => {
    const { result, stderr } = await command(...argv)
    expect(result).toEqual({ code: 1 })
    expect(stderr).toContain(reason)
  })

  it('an option that resembles none → no guess', async () => {
    expect((await command('--completely-different')).stderr).not.toContain('Did you mean')
  })

  it.each([
    [['--port', 'x'], '--port must be a whole number'],
    [['--port', '70000'], 'from 0 to 65535'],
    [['--workers', '0'], '--workers must be'],
    [['--base', 'events'], '--base must begin with "/"'],
    [['--set', 'nope=1'], 'unknown setting "nope"'],
    [['--set', 'pingMessageInterval'], '--set wants name=value'],
    [['--set', 'pingMessageInterval=soon'], 'wants a number'],
    [['--set', 'pingMessageInterval=0'], 'must be more than 0 ms'],
    [['--set', 'storeMessages=1'], 'wants on or off'],
    [['--wrong'], '--wrong'],
    [['stray'], 'stray'],
  ])('%j is an error that says why', async (argv, reason) => {
    const { result, stdout, stderr } = await command(...argv)
    expect([result, stdout]).toEqual([{ code: 1 }, ''])
    expect(stderr).toContain(reason)
    expect(stderr).toContain('--help')
  })
})
