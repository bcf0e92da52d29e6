import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { freePort } from '@pushstream/testkit'
import { type Changes, Guide } from './guide.js'
import { type Nginx, pushStreamModule, startWritten } from './nginx.js'
import { program } from './programs.js'
import { startInstead } from './wild.js'

/** The folder of the site, as the guides name it. */
export const site = '/var/www/pushstream'

/** A guide whose configuration nginx runs. */
export interface NginxGuide {
  readonly guide: Guide
  readonly nginx: Nginx
  /** nginx's own, as the guide names it. */
  readonly url: string
  close(): Promise<void>
}

interface NginxGuideOptions {
  parent?: string
  packages?: string
  /** More changes than those below. */
  changes?: Changes
  /** Adds to the configuration what another guide adds to it. */
  adjust?(config: string): string
}

export type Loaded = 'Nchan' | 'module' | 'development server' | 'nothing'

/**
 * Starts nginx with the configuration of a guide. What differs: no one is root here, port 80 belongs to another program,
 * and nginx writes no log and keeps its temporary files elsewhere. `loaded`: what speaks the module's protocol.
 */
export async function startGuide(
  name: string,
  loaded: Loaded,
  { parent, packages, changes = [], adjust = (config) => config }: NginxGuideOptions = {},
): Promise<NginxGuide> {
  const port = await freePort()
  const guide = await Guide.open(name, {
    ...(parent !== undefined && { parent }),
    ...(packages !== undefined && { packages }),
    changes: (folder) => [
      ...changes,
      ['user www-data;\n', ''],
      ['listen 80;', `listen 127.0.0.1:${port};`],
      ...(name.startsWith('start/')
        ? ([
            ['http://127.0.0.1', `http://127.0.0.1:${port}`],
            [site, join(folder, 'site')],
          ] as const)
        : []),
    ],
  })
  const module = loaded === 'Nchan' ? program('nchan') : pushStreamModule()
  const instead = loaded === 'development server' ? await startInstead() : undefined
  const end = async () => {
    await instead?.close()
    await guide.close()
  }
  try {
    const nginx = await startWritten(
      (dir) => {
        const written = guide.file('/etc/nginx/nginx.conf').replace('http {', `http {\n  include ${dir}/test.conf;`)
        const config = adjust(written)
        if (loaded === 'nothing') return config.replace(/^load_module .*\n/m, '')
        return instead ? instead.read(config) : onThisSystem(config)
      },
      { port, modules: module && dirname(module) },
    )
    return {
      guide,
      nginx,
      url: `${nginx.url}/`,
      async close() {
        await nginx.close()
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}

/** Debian's packages load their modules by files in a folder. Where there is none, the configuration names the module. */
function onThisSystem(config: string): string {
  const folder = '/etc/nginx/modules-enabled'
  const packaged = existsSync(folder) && readdirSync(folder).some((name) => name.includes('nchan'))
  return packaged ? config : config.replace(`include ${folder}/*.conf;`, `load_module ${program('nchan')};`)
}
