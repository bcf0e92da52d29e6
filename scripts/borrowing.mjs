import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const borrowed = '\0pushstream-shared'

/**
 * The Vite plugins that build a script of packages/core/src/scripts. A script named `pushstream-*.ts` is loaded after
 * pushstream.js. Modules that shared.ts imports are not built into it: it takes their names from `PushStream.shared`. The
 * build fails if the script needs a name of these modules that shared.ts does not have.
 */
export function borrowing(source) {
  if (!/[\\/]pushstream-\w+\.ts$/.test(source)) return []
  const folder = dirname(dirname(source))
  const text = readFileSync(join(folder, 'shared.ts'), 'utf8')
  const imports = [...text.matchAll(/^import \{ (.+) \} from '(.+)\.js'$/gm)]
  const modules = new Set(imports.map(([, , path]) => join(folder, `${path}.ts`)))
  const names = imports.map(([, list]) => list).join(', ')
  return [
    {
      name: 'pushstream-borrowing',
      enforce: 'pre',
      async resolveId(id, importer, options) {
        if (!id.startsWith('.') || importer === undefined) return undefined
        const found = await this.resolve(id, importer, { ...options, skipSelf: true })
        return found !== null && modules.has(join(found.id)) ? borrowed : undefined
      },
      load: (id) =>
        id === borrowed
          ? `const { shared } = globalThis.PushStream ?? {}
             if (shared === undefined) throw new Error('Load pushstream.js before this script.')
             export const { ${names} } = shared`
          : undefined,
    },
  ]
}
