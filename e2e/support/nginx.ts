import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@pushstream/testkit'
import { accepting, Daemon } from './daemon.js'
import { missingProgram, program, withoutModule } from './programs.js'

/** An nginx for one test, on a fixed port. */
export interface Nginx {
  readonly port: number
  /** http://127.0.0.1:port */
  readonly url: string
  readonly workers: number
  /** The path of the current configuration. A reload reads it again. */
  readonly file: string
  /** The id of the master process, while it runs. */
  readonly pid: number | undefined
  /** The ids of the current worker processes. */
  readonly workerPids: readonly number[]
  /** The log of nginx, oldest first: `notice` and above. */
  readonly log: readonly string[]
  /** The lines of the log about crashed workers. */
  readonly crashes: readonly string[]
  /** SIGHUP. Resolves when new workers run and the old ones have been told to quit. */
  reload(): Promise<void>
  /** SIGQUIT. Resolves when it has ended, after its last connection. */
  quit(): Promise<void>
  /** SIGTERM. Resolves when it has ended. */
  stop(): Promise<void>
  /** SIGKILL to master and workers. Resolves when they have ended. */
  kill(): Promise<void>
  /** Starts it again, on the same port. Resolves when it accepts connections. */
  start(): Promise<void>
  restart(): Promise<void>
  /** Ends it and removes its folder. */
  close(): Promise<void>
}

export interface NginxOptions {
  /** Default 1. */
  workers?: number
  /** Default: a free one. */
  port?: number
  /** The values of the configuration's placeholders. */
  values?: Readonly<Record<string, string | number>>
  /** Adjusts the configuration at the end. */
  adjust?(config: string): string
}

/** The default values of placeholders. */
const defaults = {
  template: '{"id":~id~,"channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~","eventid":"~event-id~"}',
  authorized: 'off',
  listen: '',
  // Nobody is there.
  application: 'http://127.0.0.1:9',
}

const configOf = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../nginx/${name}.conf`, import.meta.url)), 'utf8')

const moduleName = 'ngx_http_push_stream_module.so'

/** The path of nginx-push-stream-module: PUSHSTREAM_NGINX_MODULE, or else in nginx's folders of modules. */
export function pushStreamModule(): string | undefined {
  const folders = [
    '/usr/lib/nginx/modules',
    '/usr/lib64/nginx/modules',
    '/usr/share/nginx/modules',
    '/etc/nginx/modules',
  ]
  const named = process.env.PUSHSTREAM_NGINX_MODULE
  return [...(named ? [named] : folders.map((folder) => join(folder, moduleName)))].find((file) => existsSync(file))
}

/** Why this configuration can't be run here with these values, `undefined` when it can. */
export function missingNginx(config: string, values: NginxOptions['values'] = {}): string | undefined {
  const needed = configOf(config)
  const needs = (name: string) => needed.includes(`\${${name}}`) && values[name] === undefined
  if (program('nginx') === undefined) return missingProgram('nginx')
  if (needs('nchan') && program('nchan') === undefined) return missingProgram('nchan')
  if (needs('module') && pushStreamModule() === undefined) return withoutModule
  return undefined
}

const { temporaryPaths }: { temporaryPaths(folder: string): string } = await import(
  new URL('../../scripts/servers.mjs', import.meta.url).href
)
// Settings that do not belong in an example: where nginx writes its files in a test.
const testSettings = `access_log off;
${temporaryPaths('{dir}')}
`

/**
 * After a reload, Nchan 1.3.6 with Redis still uses memory of the previous configuration, which nginx has freed.
 * OpenSSL may reuse that memory when a worker first loads it, and the worker then crashes. This location makes the
 * master load OpenSSL, so that the workers don't have to.
 */
const reloadable = (config: string) =>
  config.replace(/ {2}server \{\n/, '$&    location = /unused { proxy_pass https://127.0.0.1:9; }\n')

/** Starts nginx with a configuration of e2e/nginx. Resolves when it accepts connections and has reached its Redis. */
export async function startNginx(config: string, options: NginxOptions = {}): Promise<Nginx> {
  const missing = missingNginx(config, options.values)
  if (missing !== undefined) throw new Error(missing)
  const { workers = 1, port = await freePort(), values = {}, adjust = (text: string) => text } = options
  return startWritten(
    (dir) => {
      const all: Record<string, string | number | undefined> = {
        ...defaults,
        dir,
        port,
        workers,
        nchan: program('nchan'),
        module: pushStreamModule(),
        ...values,
      }
      const filled = configOf(config).replace(/\$\{(\w+)\}/g, (placeholder, name: string) => {
        const value = all[name]
        if (value === undefined) throw new Error(`${config}.conf needs a value for ${placeholder}`)
        return String(value)
      })
      return adjust(filled)
    },
    { port, workers },
  )
}

/**
 * Starts nginx with a whole configuration, which knows its folder. It has to include the folder's `test.conf`.
 * `modules`: where the modules are that it loads by a path like `modules/x.so`.
 */
export async function startWritten(
  write: (dir: string) => string,
  { port, workers = 1, modules }: { port: number; workers?: number; modules?: string | undefined },
): Promise<Nginx> {
  const dir = await mkdtemp(join(tmpdir(), 'pushstream-nginx-'))
  // If the master is root, its workers run as another user.
  await chmod(dir, 0o755)
  const nginx = new Process(dir, port, workers)
  try {
    const text = write(dir)
    const withRedis = text.includes('nchan_redis_server')
    await writeFile(join(dir, 'nginx.conf'), withRedis ? reloadable(text) : text)
    await writeFile(join(dir, 'test.conf'), testSettings.replaceAll('{dir}', dir))
    if (modules !== undefined) await symlink(modules, join(dir, 'modules'))
    await nginx.start()
    // Until then, it answers every request with 503, and a client with several hosts uses the next one.
    if (withRedis) await nginx.reachedRedis()
  } catch (error) {
    await nginx.close()
    throw error
  }
  return nginx
}

class Process implements Nginx {
  readonly port: number
  readonly workers: number
  readonly url: string
  readonly file: string
  readonly #dir: string
  #daemon: Daemon | undefined
  readonly #before: string[] = []

  constructor(dir: string, port: number, workers: number) {
    this.#dir = dir
    this.file = join(dir, 'nginx.conf')
    this.port = port
    this.workers = workers
    this.url = `http://127.0.0.1:${port}`
  }

  get pid(): number | undefined {
    return this.#daemon?.running ? this.#daemon.pid : undefined
  }

  get workerPids(): readonly number[] {
    return this.#daemon?.running ? workersOf(this.#daemon.lines) : []
  }

  get log(): readonly string[] {
    return [...this.#before, ...(this.#daemon?.lines ?? [])]
  }

  get crashes(): readonly string[] {
    return this.log.filter((line) => /worker process \d+ exited on signal (?!(9|15)\b)/.test(line))
  }

  async start(): Promise<void> {
    if (this.#daemon?.running) throw new Error('this nginx is already running')
    this.#before.push(...(this.#daemon?.lines ?? []))
    const asRoot = process.getuid?.() === 0 ? 'user root; ' : ''
    const globals = `${asRoot}daemon off; pid ${this.#dir}/nginx.pid; error_log stderr notice;`
    const args = ['-p', this.#dir, '-e', 'stderr', '-c', this.file, '-g', globals]
    const daemon = await Daemon.start(program('nginx') as string, args)
    this.#daemon = daemon
    await daemon.until('the start of its workers', (lines) => workersOf(lines).length >= this.workers)
    await accepting(this.port, () => daemon.running)
  }

  /** Resolves when every worker of Nchan has connected to its Redis. */
  async reachedRedis(): Promise<void> {
    await this.#running().until('a connection to Redis', (lines) => {
      const ready = matches(lines, /\[notice\] (\d+)#\d+: nchan: Redis upstream .*: ready/)
      return new Set(ready).size >= this.workers
    })
  }

  async reload(): Promise<void> {
    const daemon = this.#running()
    const old = workersOf(daemon.lines)
    const begin = daemon.lines.length
    daemon.signal('SIGHUP')
    let refused: string | undefined
    await daemon.until('a reload', (lines) => {
      const since = lines.slice(begin)
      refused = since.find((line) => line.includes('[emerg]'))
      const started = matches(since, /start worker process (\d+)/)
      const told = new Set(matches(since, /\[notice\] (\d+)#\d+: (?:gracefully shutting down|exit)/))
      const gone = new Set(matches(since, /worker process (\d+) exited/))
      return (
        refused !== undefined || (started.length >= this.workers && old.every((pid) => told.has(pid) || gone.has(pid)))
      )
    })
    if (refused !== undefined) throw new Error(`nginx did not reload: ${refused}`)
  }

  async quit(): Promise<void> {
    await this.#end('SIGQUIT')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async kill(): Promise<void> {
    const daemon = this.#running()
    // The master first, or it would start new workers, which are not known here.
    daemon.signal('SIGSTOP')
    const pids = new Set([...workersOf(daemon.lines, true), ...childrenOf(daemon.pid)])
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has already ended.
      }
    }
    daemon.signal('SIGKILL')
    await daemon.gone
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  async close(): Promise<void> {
    if (this.#daemon?.running) await this.kill()
    await this.#daemon?.gone
    await rm(this.#dir, { recursive: true, force: true })
  }

  #running(): Daemon {
    if (!this.#daemon?.running) throw new Error('this nginx is not running')
    return this.#daemon
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#running()
    daemon.signal(signal)
    await daemon.gone
  }
}

const matches = (lines: readonly string[], pattern: RegExp): number[] =>
  lines.flatMap((line) => {
    const found = pattern.exec(line)
    return found === null ? [] : [Number(found[1])]
  })

/** Workers that were started and have not ended. Workers that quit after a reload count only if asked for. */
function workersOf(lines: readonly string[], leavingToo = false): number[] {
  const ended = new Set(matches(lines, /(?:worker|cache manager|cache loader) process (\d+) exited/))
  const leaving = new Set(leavingToo ? [] : matches(lines, /\[notice\] (\d+)#\d+: gracefully shutting down/))
  return matches(lines, /start worker process (\d+)/).filter((pid) => !ended.has(pid) && !leaving.has(pid))
}

/** The child processes of a process that are not known yet. */
function childrenOf(parent: number): number[] {
  if (!existsSync('/proc/self/stat')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        // pid (name) state parent …, and the name may contain anything.
        return (
          Number(
            readFileSync(`/proc/${pid}/stat`, 'latin1')
              .replace(/^.*\) \S /s, '')
              .split(' ')[0],
          ) === parent
        )
      } catch {
        return false
      }
    })
}
