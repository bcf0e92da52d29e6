import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { readConfig } from './config.js'
import type { DevServerOptions } from './options.js'
import { createDevServer, type DevServer } from './server.js'
import { DEFAULT_SETTINGS, type Settings } from './settings.js'
import { explained, question } from './suggestions.js'

const HELP = `Usage: pushstream-devserver [options]

The protocol of nginx-push-stream-module, for development. Not for production.

  --config <file>    options in a file: JSON, or a module that exports them as default. What is said here goes before
  --port <n>         port to listen on, 0 for a free one (default 9080)
  --host <name>      address to listen on (default 127.0.0.1)
  --base <path>      path before all locations, e.g. /events
  --origin <value>   Access-Control-Allow-Origin, e.g. "*" (default none)
  --workers <n>      nginx workers to simulate; more than one misbehaves as nginx does (default 1)
  --seed <n>         seed of that misbehaviour (default 1)
  --set <name=value> any other setting, as JSON or text; may be repeated,
                     e.g. --set pingMessageInterval=2000 --set messageTemplate='~text~'
  -h, --help         this text
      --version      the version of this command

Publish:    curl -d 'hello' 'http://127.0.0.1:9080/pub?id=news'
Subscribe:  curl -N http://127.0.0.1:9080/ev/news
`

const options = {
  config: { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
  base: { type: 'string' },
  origin: { type: 'string' },
  workers: { type: 'string' },
  seed: { type: 'string' },
  set: { type: 'string', multiple: true, default: [] as string[] },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', default: false },
} as const

/** Where the command writes. */
export interface CommandIo {
  stdout(text: string): void
  stderr(text: string): void
}

/** How the command ended: with a code, or with a server that runs. */
export type CommandResult = { code: number } | { server: DevServer; url: string }

/** The command. It never exits by itself; `argv` is without node and script. */
export async function run(argv: string[], io: CommandIo): Promise<CommandResult> {
  try {
    const { values } = parsed(argv)
    if (values.help) {
      io.stdout(HELP)
      return { code: 0 }
    }
    if (values.version) {
      io.stdout(`${version()}\n`)
      return { code: 0 }
    }
    const file = values.config === undefined ? {} : await readConfig(values.config)
    const { port: filePort, host: fileHost, ...rest } = file
    const port = wholeNumber('port', values.port ?? String(filePort ?? file.relay?.port ?? 9080), 0, 65_535)
    const host = values.host ?? fileHost ?? file.relay?.address ?? '127.0.0.1'
    const { base = rest.base ?? '', workers = rest.workers ?? 1, seed = rest.seed ?? 1, origin } = values
    if (base !== '' && !base.startsWith('/')) throw new Error(`--base must begin with "/"`)
    const given: DevServerOptions = {
      ...rest,
      base,
      workers: wholeNumber('workers', String(workers), 1, 64),
      seed: wholeNumber('seed', String(seed), 0, 2 ** 32 - 1),
      settings: {
        ...rest.settings,
        ...(origin === undefined ? {} : { allowedOrigins: origin }),
        ...readSettings(values.set),
      },
    }
    const server = createDevServer(given)
    const { url } = await listen(server, port, host)
    io.stdout(`push stream on ${url}${base}\n`)
    return { server, url }
  } catch (error) {
    io.stderr(`pushstream-devserver: ${(error as Error).message}\nTry --help.\n`)
    return { code: 1 }
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options })
  } catch (error) {
    throw explained(error, options)
  }
}

function version(): string {
  return (createRequire(import.meta.url)('../package.json') as { version: string }).version
}

function wholeNumber(name: string, value: string, least: number, most: number): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isInteger(number) || number < least || number > most) {
    throw new Error(`--${name} must be a whole number from ${least} to ${most}, not "${value}"`)
  }
  return number
}

function readSettings(pairs: string[]): Partial<Settings> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      const name = pair.slice(0, at)
      if (at < 1) throw new Error(`--set wants name=value, not "${pair}"`)
      if (!(name in DEFAULT_SETTINGS)) {
        const known = Object.keys(DEFAULT_SETTINGS)
        throw new Error(`--set: unknown setting "${name}".${question(name, known)} Known: ${known.join(', ')}`)
      }
      return [name, readValue(name as keyof Settings, pair.slice(at + 1))]
    }),
  )
}

function readValue(name: keyof Settings, text: string): unknown {
  const fallback = DEFAULT_SETTINGS[name]
  if (typeof fallback === 'string') return text
  if (text === 'null') return null
  if (typeof fallback === 'boolean') {
    if (text === 'on' || text === 'true') return true
    if (text === 'off' || text === 'false') return false
    throw new Error(`--set ${name} wants on or off, not "${text}"`)
  }
  const textual = [
    'channelsArgument',
    'lastReceivedMessageTime',
    'lastReceivedMessageTag',
    'lastEventId',
    'defaultType',
    'passthrough',
  ]
  if (textual.includes(name)) return text
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number)) throw new Error(`--set ${name} wants a number, not "${text}"`)
  return number
}

async function listen(server: DevServer, port: number, host: string): Promise<{ url: string }> {
  try {
    return await server.listen(port, host)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new Error(`port ${port} is taken; give another with --port, or 0 for any`)
    if (code === 'EACCES') throw new Error(`port ${port} may not be used by this user; ports from 1024 may`)
    throw new Error(`cannot listen on ${host}:${port}: ${message}`)
  }
}
