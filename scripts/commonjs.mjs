import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/**
 * The modules once more as CommonJS, in a folder that says so, for Jest and for TypeScript projects whose modules are
 * CommonJS. Commands are left out. The declarations are those of the modules: their format follows from the folder.
 *
 * @param build builds some entries.
 */
export async function buildCommonJs({ path, entries, manifest }, build) {
  const targets = Object.values(manifest.exports).map((target) => target.require?.default)
  const names = targets.flatMap((target) => /^\.\/dist\/cjs\/(.+)\.js$/.exec(target ?? '')?.[1] ?? [])
  const dist = join(path, 'dist')
  const declared = declarationsOf(names.map((name) => join(dist, `${name}.d.ts`)))
  for (const file of readdirSync(dist, { recursive: true })) {
    if (file.endsWith('.d.ts') && !declared.has(join(dist, file))) rmSync(join(dist, file))
  }
  if (names.length === 0) return
  const folder = join(dist, 'cjs')
  await build(Object.fromEntries(names.map((name) => [name, entries[name]])))
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n')
  for (const file of declared) cpSync(file, join(folder, relative(dist, file)))
  // The declarations of Vite are a module's, which those of CommonJS can't import.
  if ('vite' in (manifest.peerDependencies ?? {})) return
  for (const file of declared) rmSync(file)
  for (const name of names) {
    const from = relative(dirname(join(dist, name)), join(folder, name)).replaceAll('\\', '/')
    writeFileSync(join(dist, `${name}.d.ts`), `export * from '${from.startsWith('.') ? from : `./${from}`}.js'\n`)
  }
}

/** These declarations, and all that they import. Those of what is internal are not published. */
function declarationsOf(files) {
  const found = new Set(files)
  for (const file of found) {
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(
      /(?:from|import)\s*\(?\s*["'](\.[^"']+)\.js["']/g,
    )) {
      found.add(join(dirname(file), `${specifier}.d.ts`))
    }
  }
  return found
}
