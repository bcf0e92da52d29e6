import { fileURLToPath } from 'node:url'
import { freePort } from '@pushstream/testkit'
import { Daemon } from './daemon.js'

const at = (path: string) => fileURLToPath(new URL(`../../scripts/${path}`, import.meta.url))

interface Built {
  ensureBuilt(names: readonly string[]): boolean
}

interface Examples {
  readonly examples: Record<string, { readonly packages: readonly string[] }>
}

/** Builds the packages that the examples use, if they are not built or not current. */
export async function buildForExamples(): Promise<void> {
  const { ensureBuilt }: Built = await import(at('built.mjs'))
  const { examples }: Examples = await import(at('examples.mjs'))
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
  const daemon = await Daemon.start(process.execPath, [at('example.mjs'), name, ...options], env)
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
