import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'

const module = new URL('../../scripts/execute.mjs', import.meta.url).href

/** A program that executes others, as `npm test` does. */
function program(code: string) {
  const args = ['--input-type=module', '-e', `import { execute } from ${JSON.stringify(module)}\n${code}`]
  const child = spawn(process.execPath, args)
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const until = async (text: RegExp) => {
    while (!text.test(printed)) await once(child.stdout, 'data')
    return printed
  }
  return { child, until, ended: once(child, 'close').then(() => printed) }
}

/** Whether something listens at this port. */
const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

test('one that prints later, beside another → its lines come together when it is over', async () => {
  const slow = `console.log('slow 1'); setTimeout(() => console.log('slow 2'), 600)`
  const { ended } = program(`
    const beside = execute(['-e', ${JSON.stringify(slow)}], { later: true })
    await execute(['-e', "setTimeout(() => console.log('quick'), 150)"])
    console.log((await beside).code)`)
  expect(await ended).toBe('quick\nslow 1\nslow 2\n0\n')
})

test('two under way, and a signal → both are ended', async () => {
  const waits = `const server = require('node:net').createServer()
    server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))`
  const { child, until, ended } = program(`
    for (let n = 0; n < 2; n++) execute(['-e', ${JSON.stringify(waits)}])`)
  const printed = await until(/port \d+\s+port \d+\s/)
  const ports = [...printed.matchAll(/port (\d+)/g)].map(([, port]) => Number(port))
  expect(await Promise.all(ports.map(listens))).toEqual([true, true])
  child.kill('SIGTERM')
  await ended
  await expect.poll(() => Promise.all(ports.map(listens))).toEqual([false, false])
})
