import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort } from '@pushstream/testkit'

const script = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url))

/** The servers of `npm start`, on a free port. */
export interface Playground {
  readonly url: string
  close(): Promise<void>
}

export async function startPlayground(): Promise<Playground> {
  const port = await freePort()
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, PORT: String(port), HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  await announced(child, `http://127.0.0.1:${port}/`)
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      if (child.exitCode === null) child.kill('SIGTERM')
      await ended
    },
  }
}

function announced(child: ChildProcess, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (piece: Buffer) => {
      said += piece
      if (said.includes(url)) resolve()
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('exit', (code) => reject(new Error(`npm start exited with ${code}: ${said}`)))
  })
}
