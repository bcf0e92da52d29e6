import { cpSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The modules once more as CommonJS, in a folder that says so, for Jest and for TypeScript projects whose modules are
 * CommonJS. Commands are left out. The declarations are the same files: their format follows from the folder.
 *
 * @param build builds some entries.
 */
export async function buildCommonJs({ path, entries, manifest }, build) {
  const targets = Object.values(manifest.exports).map((target) => target.require?.default)
  const names = targets.flatMap((target) => /^\.\/dist\/cjs\/(.+)\.js$/.exec(target ?? '')?.[1] ?? [])
  if (names.length === 0) return
  const folder = join(path, 'dist', 'cjs')
  await build(Object.fromEntries(names.map((name) => [name, entries[name]])))
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n')
  const isDeclaration = (file) => file.endsWith('.d.ts')
  for (const file of readdirSync(join(path, 'dist'), { recursive: true }).filter(isDeclaration)) {
    if (!file.startsWith('cjs')) cpSync(join(path, 'dist', file), join(folder, file))
  }
}
