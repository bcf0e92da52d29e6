import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { run } from '../../src/cli.js'

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
