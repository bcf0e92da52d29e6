import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, type ScriptedServer } from '@pushstream/testkit'
import { Daemon } from './daemon.js'
import { withoutEventstream } from './programs.js'

const root = new URL('../../', import.meta.url)
const at = (path: string) => fileURLToPath(new URL(`scripts/${path}`, root))

interface Built {
  ensureBuilt(names: readonly string[]): boolean
}

interface Examples {
  readonly examples: Record<
    string,
    { readonly packages: readonly string[]; lacks?(server?: string): string | undefined }
  >
}

const { ensureBuilt }: Built = await import(at('built.mjs'))
const { examples }: Examples = await import(at('examples.mjs'))

/** Why django-eventstream can't be started here by this server, `undefined` if it can. */
export const missingEventstream = (server: 'uvicorn' | 'daphne'): string | undefined =>
  examples['django-eventstream']?.lacks?.(server) === undefined ? undefined : withoutEventstream

/** Builds the packages that the examples use, if they are not built or not current. */
export function buildForExamples(): void {
  const names = new Set(Object.values(examples).flatMap(({ packages }) => packages))
  if (!ensureBuilt([...names])) throw new Error('The packages that the examples use could not be built.')
}

/** An example, as `npm run example` starts it. */
export interface Example {
  /** The address of its page, as it was printed. */
  readonly url: string
  /** Stops the push server. */
  stop(): Promise<void>
  /** Starts it again. */
  start(): Promise<void>
  close(): Promise<void>
}

export async function startExample(name: string, ...options: readonly string[]): Promise<Example> {
  const port = await freePort()
  const env = { ...process.env, PORT: `${port}` }
  const daemon = await Daemon.start(process.execPath, [at('example.mjs'), name, ...options], { env })
  let typed = 0
  const type = (line: string, answer: string) => {
    daemon.type(line)
    typed++
    return daemon.until(answer, (lines) => lines.filter((each) => /: (stopped|started)$/.test(each)).length >= typed)
  }
  const urlIn = (lines: readonly string[]) => /http:\/\/127\.0\.0\.1:\d+\/\S*/.exec(lines.join('\n'))?.[0]
  await daemon.until('its address', (lines) => urlIn(lines) !== undefined)
  return {
    url: urlIn(daemon.lines) as string,
    stop: () => type('stop', 'the end of the push server'),
    start: () => type('start', 'the start of the push server'),
    async close() {
      daemon.signal('SIGTERM')
      await daemon.gone
    },
  }
}

const types: Record<string, string> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' }

/** Serves the page of an example and the modules of the client, as the example's nginx.conf does. */
export function servePage(server: ScriptedServer, name: string): void {
  const serve = (path: string, file: URL) =>
    server.on(`GET ${path}`, (exchange) =>
      exchange.respond(200, { 'Content-Type': types[extname(file.pathname)] ?? 'text/javascript' }, readFileSync(file)),
    )
  const folder = new URL(`examples/${name}/public/`, root)
  for (const file of readdirSync(folder)) serve(file === 'index.html' ? '/' : `/${file}`, new URL(file, folder))
  const built = new URL('packages/core/dist/', root)
  server.on('GET /js/pushstream/*', (exchange) => {
    const file = new URL(exchange.request.path.slice('/js/pushstream/'.length), built)
    exchange.respond(200, { 'Content-Type': 'text/javascript' }, readFileSync(file))
  })
  serve('/js/mitt.js', new URL('node_modules/mitt/dist/mitt.mjs', root))
}
