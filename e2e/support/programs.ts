import { existsSync } from 'node:fs'

// This must not import Playwright, because the tests in Node start the same servers.

interface System {
  find(name: string): string | undefined
  howToInstall(names: readonly string[]): string
}

export type ProgramName =
  | 'nginx'
  | 'nchan'
  | 'redis'
  | 'pushpin'
  | 'openssl'
  | 'curl'
  | 'jq'
  | 'python'
  | 'django'
  | 'ruby'
  | 'rails'
  | 'php'

const system: System = await import(new URL('../../scripts/system.mjs', import.meta.url).href)

/** The path of a program of the system. */
export function program(name: ProgramName): string | undefined {
  const path = system.find(name)
  return path !== undefined && existsSync(path) ? path : undefined
}

/** The message if a program is missing; `undefined` if it is there. */
export function missingProgram(name: ProgramName): string | undefined {
  if (program(name) !== undefined) return undefined
  return `${name} is missing, so NOTHING was tested with it. To get it: ${system.howToInstall([name])}`
}

/** The message if the module is missing. `npm test` can't install it, so tests that need it are skipped everywhere. */
export const withoutModule =
  'nginx-push-stream-module is missing, so NOTHING was tested with it. Build it and say where it is: PUSHSTREAM_NGINX_MODULE=/path/to/ngx_http_push_stream_module.so'

/** The message if django-eventstream is missing. `npm test` can't install it: Debian has no package of it. */
export const withoutEventstream =
  'django-eventstream is missing, so NOTHING was tested with it. Install examples/django-eventstream/requirements.txt and daphne, and say where it is: DJANGO_EVENTSTREAM_PYTHON_PATH=/path/to/python3'

const excused = [withoutModule, withoutEventstream]
const said = new Set<string>()

/**
 * Why tests can't run here, or `undefined` if they can. The reasons are printed. With CI=true, it throws if something
 * is missing that `npm test` could have installed.
 */
export function lacking(...missing: readonly (string | undefined)[]): string | undefined {
  const reasons = missing.filter((reason) => reason !== undefined)
  for (const reason of reasons) {
    if (!said.has(reason)) console.error(reason)
    said.add(reason)
  }
  const fatal = reasons.find((reason) => !excused.includes(reason))
  if (fatal !== undefined && /^(1|true)$/i.test(process.env.CI ?? '')) throw new Error(fatal)
  return reasons[0]
}
