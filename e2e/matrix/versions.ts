import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findBrowser } from '../support/browsers.js'
import { pushStreamModule } from '../support/nginx.js'
import { program } from '../support/programs.js'

const saidBy = (file: string | undefined, argument: string): string => {
  if (file === undefined) return ''
  const { stdout, stderr } = spawnSync(file, [argument], { encoding: 'utf8', timeout: 20_000 })
  return `${stdout}${stderr}`
}

const numberIn = (text: string) => /\d+(\.\d+)+/.exec(text)?.[0]

/** A module tells its version to nobody: it stands among the texts of its file. */
function versionInside(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  return /\0(\d+\.\d+\.\d+)\0/.exec(readFileSync(file, 'latin1'))?.[1]
}

/** What was measured, as far as it is here. */
export async function versions(): Promise<Record<string, string>> {
  const manifest = JSON.parse(readFileSync(new URL('../../packages/core/package.json', import.meta.url), 'utf8'))
  const found: Record<string, string | undefined> = {
    '@pushstream/core': manifest.version,
    nginx: numberIn(saidBy(program('nginx'), '-v')),
    'nginx-push-stream-module': versionInside(pushStreamModule()),
    Nchan: versionInside(program('nchan')),
    Redis: numberIn(saidBy(program('redis'), '--version')),
    Chromium: numberIn(saidBy(await findBrowser('chromium'), '--version')),
    Firefox: numberIn(saidBy(await findBrowser('firefox'), '--version')),
    Node: process.versions.node,
  }
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
