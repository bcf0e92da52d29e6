import { existsSync, readFileSync, statSync } from 'node:fs'
import { copyFile, mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type InlineConfig } from 'vite'
import { compilers, pages } from '../../playground/pages.js'
import { borrowing, newest } from '../../playground/server/drop-in.js'
import { alias, react18 } from '../../vite.config.js'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** The folder of the built files of the test pages. */
export const built = at('node_modules/.cache/pushstream-e2e')

async function bundle(entry: string, format: 'es' | 'iife', fileName: string): Promise<void> {
  const config: InlineConfig = {
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    resolve: { alias },
    plugins: [borrowing(entry)],
    build: {
      target: 'es2022',
      outDir: built,
      emptyOutDir: false,
      minify: false,
      lib: { entry, formats: [format], name: 'PushStream', fileName: () => fileName },
    },
  }
  await build(config)
}

/**
 * Builds pages of the playground into a folder. Only React's development build mounts everything twice (StrictMode).
 */
async function examples(
  folder: string,
  input: Record<string, string>,
  resolved: typeof alias | typeof react18,
  mode: string,
) {
  await build({
    configFile: false,
    logLevel: 'error',
    root: at('playground'),
    base: './',
    resolve: { alias: resolved },
    plugins: [compilers()],
    define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
    build: { outDir: join(built, folder), emptyOutDir: true, minify: false, rolldownOptions: { input } },
  })
}

/** A `node_modules` with the packages that the guides in docs/start install. */
export const installed = join(built, 'installed/node_modules')

async function install(name: string, exported: Record<string, string>): Promise<void> {
  const folder = join(installed, '@pushstream', name)
  const exports: Record<string, string> = {}
  for (const [path, source] of Object.entries(exported)) {
    const file = `dist/${path.slice(2) || 'index'}.js`
    exports[path] = `./${file}`
    await build({
      configFile: false,
      logLevel: 'warn',
      publicDir: false,
      resolve: { alias },
      ssr: { noExternal: true },
      build: {
        target: 'es2022',
        outDir: folder,
        emptyOutDir: false,
        minify: false,
        ssr: at(`packages/${name}/src/${source}`),
        rolldownOptions: { output: { entryFileNames: file } },
      },
    })
  }
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: `@pushstream/${name}`, version: '0.0.0', type: 'module', exports }),
  )
}

async function installAll(): Promise<void> {
  await rm(installed, { recursive: true, force: true })
  await install('core', { '.': 'index.ts' })
  await install('devserver', { './vite': 'vite.ts' })
  for (const name of ['pushstream', 'pushstream-nchan']) {
    await copyFile(join(built, `${name}.js`), join(installed, `@pushstream/core/dist/${name}.min.js`))
  }
}

const packages = ['core', 'devserver', 'react', 'vue']
/** The files that a build depends on. */
const sources = [...packages.map((name) => `packages/${name}/src`), 'playground', 'e2e/page']
const recipes = [
  'e2e/runtimes/browser.mjs',
  'e2e/runtimes/suite.mjs',
  'e2e/support/build.ts',
  'scripts/borrowing.mjs',
  'vite.config.ts',
  'package-lock.json',
  'e2e/react-18/package.json',
]

/** Whether the last build is up to date. Each browser's run checks it, so one build serves them all. */
function isCurrent(stamp: string): boolean {
  if (!existsSync(stamp)) return false
  const changed = [...sources.map((path) => newest(at(path))), ...recipes.map((path) => statSync(at(path)).mtimeMs)]
  return statSync(stamp).mtimeMs > Math.max(...changed)
}

/** Bundles the client for the test pages: as a module, and as the scripts that `npm run build` made. */
export default async function setup(): Promise<void> {
  const stamp = join(built, 'stamp')
  if (isCurrent(stamp)) return
  await rm(stamp, { force: true })
  await mkdir(built, { recursive: true })
  // A change during the build must cause another build.
  const began = new Date()
  await bundle(at('e2e/page/page.ts'), 'es', 'page.js')
  await bundle(at('e2e/page/diagnose.ts'), 'es', 'diagnose.js')
  await bundle(at('e2e/runtimes/browser.mjs'), 'iife', 'runtimes.js')
  await copyFile(at('node_modules/jquery/dist/jquery.min.js'), join(built, 'jquery.js'))
  for (const name of ['pushstream', 'pushstream-nchan', 'pushstream-updates', 'push-event-source']) {
    const script = at(`packages/core/dist/${name}.js`)
    // A build that is older than the sources would test an outdated client.
    if (existsSync(script) && statSync(script).mtimeMs > newest(at('packages/core/src'))) {
      await copyFile(script, join(built, `${name}.js`))
    } else await bundle(at(`packages/core/src/scripts/${name}.ts`), 'iife', `${name}.js`)
    if (readFileSync(join(built, `${name}.js`)).length === 0) throw new Error(`${name}.js is empty`)
  }
  await installAll()
  await examples('examples', pages, alias, 'production')
  await examples('examples-strict', { react: pages.react }, alias, 'development')
  await examples('examples-strict-18', { react: pages.react }, react18, 'development')
  await writeFile(stamp, '')
  await utimes(stamp, began, began)
}
