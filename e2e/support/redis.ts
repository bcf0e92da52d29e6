import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@pushstream/testkit'
import { Daemon } from './daemon.js'
import { missingProgram, program } from './programs.js'

/** A Redis for one test, on a fixed port. */
export interface Redis {
  readonly port: number
  /** redis://127.0.0.1:port */
  readonly url: string
  /** SIGTERM. Resolves when it has ended. */
  stop(): Promise<void>
  /** SIGKILL. Resolves when it has ended. */
  kill(): Promise<void>
  /** Starts it again, on the same port. Resolves when it accepts connections. */
  start(): Promise<void>
  restart(): Promise<void>
  /** Ends it and removes its folder. */
  close(): Promise<void>
}

export interface RedisOptions {
  /** Whether it keeps its data across restarts, in an append-only file. Default false. */
  persist?: boolean
  /** Default: a free one. */
  port?: number
}

/** Why Redis can't be run here; `undefined` if it can. */
export const missingRedis = (): string | undefined => missingProgram('redis')

export async function startRedis({ persist = false, port }: RedisOptions = {}): Promise<Redis> {
  const missing = missingRedis()
  if (missing !== undefined) throw new Error(missing)
  const own = port ?? (await freePort())
  const dir = await mkdtemp(join(tmpdir(), 'pushstream-redis-'))
  const settings = {
    port: own,
    bind: '127.0.0.1',
    dir,
    daemonize: 'no',
    save: '',
    appendonly: persist ? 'yes' : 'no',
    appendfsync: 'always',
    'shutdown-timeout': 0,
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  let daemon: Daemon | undefined
  const end = async (signal: NodeJS.Signals) => {
    if (!daemon?.running) throw new Error('this redis is not running')
    daemon.signal(signal)
    await daemon.gone
  }
  const redis: Redis = {
    port: own,
    url: `redis://127.0.0.1:${own}`,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async start() {
      if (daemon?.running) throw new Error('this redis is already running')
      daemon = await Daemon.start(program('redis') as string, args)
      await daemon.until('it to accept connections', (lines) =>
        lines.some((line) => line.includes('Ready to accept connections')),
      )
    },
    async restart() {
      await redis.stop()
      await redis.start()
    },
    async close() {
      if (daemon?.running) await redis.kill()
      await rm(dir, { recursive: true, force: true })
    },
  }
  try {
    await redis.start()
  } catch (error) {
    await redis.close()
    throw error
  }
  return redis
}
