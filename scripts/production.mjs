import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The Vite plugin of the production build: `x.production.ts` takes the place of `x.ts`. Where sources are run directly, and
 * in the build for development, `x.ts` is what it says.
 */
export const production = {
  name: 'pushstream-production',
  enforce: 'pre',
  resolveId(id, importer) {
    if (!/^\..*\.js$/.test(id) || importer === undefined) return undefined
    const file = join(dirname(importer), id.replace(/js$/, 'production.ts'))
    return existsSync(file) ? file : undefined
  },
}
