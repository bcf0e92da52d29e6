import { existsSync } from 'node:fs'

interface System {
  find(name: string): string | undefined
  howToInstall(names: readonly string[]): string
}

export type BrowserName = 'chromium' | 'firefox'

const system = (): Promise<System> => import(new URL('../../scripts/system.mjs', import.meta.url).href)

/** Where a browser is: what PUSHSTREAM_CHROMIUM or PUSHSTREAM_FIREFOX names, else wherever the system has it. */
export async function findBrowser(name: BrowserName): Promise<string | undefined> {
  const path = process.env[`PUSHSTREAM_${name.toUpperCase()}`] || (await system()).find(name)
  return path !== undefined && existsSync(path) ? path : undefined
}

/** What to say when it is not there. */
export async function missing(name: BrowserName): Promise<string> {
  return `${name} is missing, so NOTHING was tested with it. To get it: ${(await system()).howToInstall([name])}`
}
