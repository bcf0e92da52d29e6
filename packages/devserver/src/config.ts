import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { DevServerOptions } from './options.js'
import { question } from './suggestions.js'

/** What a file may say: where to listen, and the options of `createDevServer` that can be written down. */
export interface FileOptions
  extends Pick<DevServerOptions, 'base' | 'settings' | 'locations' | 'relay' | 'workers' | 'seed'> {
  port?: number
  host?: string
}

const KNOWN: readonly string[] = ['port', 'host', 'base', 'settings', 'locations', 'relay', 'workers', 'seed']

/** Reads options from a file: JSON, or a module whose default export they are. */
export async function readConfig(file: string): Promise<FileOptions> {
  const path = resolve(file)
  const isModule = /\.[cm]?[jt]s$/.test(path)
  const found: unknown = isModule ? (await import(pathToFileURL(path).href)).default : parse(await readText(path), file)
  if (typeof found !== 'object' || found === null || Array.isArray(found))
    throw new Error(`${file}: options are an object`)
  for (const name of Object.keys(found)) {
    if (!KNOWN.includes(name))
      throw new Error(`${file}: unknown option "${name}".${question(name, KNOWN)} Known: ${KNOWN.join(', ')}`)
  }
  return found
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Error(`--config: ${(error as Error).message}`)
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`)
  }
}
