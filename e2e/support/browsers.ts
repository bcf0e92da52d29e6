import { existsSync } from 'node:fs'

interface System {
  find(name: string): string | undefined
  howToInstall(names: readonly string[]): string
}

export type BrowserName = 'chromium' | 'firefox'

const system = (): Promise<System> => import(new URL('../../scripts/system.mjs', import.meta.url).href)

/** The path of a browser: PUSHSTREAM_CHROMIUM or PUSHSTREAM_FIREFOX, or else the system's. */
export async function findBrowser(name: BrowserName): Promise<string | undefined> {
  const path = process.env[`PUSHSTREAM_${name.toUpperCase()}`] || (await system()).find(name)
  return path !== undefined && existsSync(path) ? path : undefined
}

/** The message for a missing browser. */
export async function missing(name: BrowserName): Promise<string> {
  return `${name} is missing, so NOTHING was tested with it. To get it: ${(await system()).howToInstall([name])}`
}
