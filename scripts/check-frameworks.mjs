// Builds a small application with each framework on the packed packages, for production, and opens it in Chromium: the
// message that is published has to appear. Then the same with the framework's development server. Needs a build and the
// registry. Each framework is installed into a folder of its own outside of the repository.
//
//   npm run check:frameworks                 all frameworks
//   npm run check:frameworks -- next nuxt    only these
import './node-version.mjs'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { buildsIn } from './check-production.mjs'
import { npm, packAll } from './packed.mjs'
import { openSite, startApplication } from './site.mjs'
import { find, howToInstall } from './system.mjs'
import { visit } from './visit.mjs'
import { root } from './workspace.mjs'

const fixtures = join(root, 'scripts', 'frameworks')

/**
 * `of`: the package whose version counts. `client`: where the built page is. `files`: what a web server has to serve
 * before it asks the application, if there is one. `rendered`: a server renders the page, and publishes at this path.
 */
const frameworks = {
  node: { title: 'Node, import and require' },
  jest: { title: 'Jest', of: 'jest' },
  'vite-react': { title: 'Vite, React', of: 'vite', client: 'dist' },
  'vite-vue': { title: 'Vite, Vue', of: 'vite', client: 'dist' },
  svelte: { title: 'Vite, Svelte', of: 'vite', client: 'dist' },
  solid: { title: 'Vite, Solid', of: 'vite', client: 'dist' },
  webpack: { title: 'webpack', of: 'webpack', client: 'dist', files: '.' },
  next: { title: 'Next.js, App Router', of: 'next', client: '.next/static', rendered: '/publish' },
  nuxt: { title: 'Nuxt', of: 'nuxt', client: '.output/public', rendered: '/api/publish' },
  sveltekit: { title: 'SvelteKit', of: '@sveltejs/kit', client: 'build/client', rendered: '/publish' },
  angular: {
    title: 'Angular',
    of: '@angular/core',
    client: 'dist/browser',
    files: 'dist/browser',
    rendered: '/publish',
  },
}

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'))

// Older versions and other bundlers, with the same application.
for (const [fixture, framework] of Object.entries(frameworks)) {
  const { variants = {} } = readJson(join(fixtures, fixture, 'package.json'))
  for (const [name, variant] of Object.entries(variants)) {
    frameworks[name] = { ...framework, title: `${framework.title} (${name})`, fixture, variant }
  }
}

/** Copies the application, and installs what it needs: our packages are tarballs. */
function install(name, folder, tarballs) {
  const { fixture = name, variant } = frameworks[name]
  cpSync(join(fixtures, fixture), folder, { recursive: true })
  const file = join(folder, 'package.json')
  const manifest = readJson(file)
  for (const field of ['dependencies', 'scripts']) Object.assign(manifest[field], variant?.[field])
  for (const [file, content] of Object.entries(variant?.files ?? {})) {
    writeFileSync(join(folder, file), JSON.stringify(content))
  }
  for (const needed of Object.keys(manifest.dependencies)) {
    if (tarballs.has(needed)) manifest.dependencies[needed] = `file:${tarballs.get(needed)}`
  }
  writeFileSync(file, JSON.stringify(manifest))
  npm(['install', '--no-audit', '--no-fund'], folder)
  return manifest
}

/** Opens the page of an application that serves itself by this script, or whose files are served. */
async function open(browser, { files, rendered }, folder, { scripts, dependencies }, script) {
  const start = (origin) =>
    startApplication(folder, script, { command: scripts[script], env: { ...process.env, PUSH_URL: origin } })
  // It mounts push stream itself.
  const mounts = '@pushstream/devserver' in dependencies
  const site = mounts
    ? await ownSite(start)
    : await openSite({
        files: files && script !== 'dev' ? join(folder, files) : undefined,
        application: scripts[script] && start,
      })
  try {
    // A development server makes what the first visitor asks for, and reloads the page.
    if (script === 'dev') await visit(browser, site.origin, { rendered, ...site })
    const problems = await visit(browser, site.origin, { rendered, ...site })
    // For example of a client that a server connects: it has no page to take the address from.
    if (site.printed().includes('PushStreamError')) problems.push(`the application prints:\n${site.printed()}`)
    return problems
  } finally {
    await site.close()
  }
}

async function ownSite(start) {
  const { port, stop, printed } = await start()
  return { origin: `http://127.0.0.1:${port}`, close: stop, printed }
}

async function check(name, browser, tarballs) {
  const framework = frameworks[name]
  const { title, of, client } = framework
  const folder = join(workplace, name)
  const result = { framework: title, version: process.version, problems: [] }
  const timed = async (what, act) => {
    const began = performance.now()
    try {
      return await act()
    } finally {
      result[what] = ((performance.now() - began) / 1000).toFixed(0)
    }
  }
  const look = (problems, how) => result.problems.push(...problems.map((problem) => `${how}: ${problem}`))
  try {
    const manifest = await timed('install s', () => install(name, folder, tarballs))
    if (of) result.version = readJson(join(folder, 'node_modules', of, 'package.json')).version
    if (manifest.scripts.check) return await timed('check s', () => npm(['run', 'check'], folder))
    await timed('build s', () => npm(['run', 'build'], folder))
    result.build = buildsIn(join(folder, client)).join(' and ')
    if (result.build !== 'production') look([`the page has the build for ${result.build || 'nothing'}`], 'build')
    look(await open(browser, framework, folder, manifest, 'start'), 'production')
    if (!manifest.scripts.dev) return
    look(await timed('dev s', () => open(browser, framework, folder, manifest, 'dev')), 'development')
  } catch (error) {
    look([error.message], 'failed')
  } finally {
    rmSync(folder, { recursive: true, force: true })
    results.push(result)
  }
}

const columns = ['framework', 'version', 'install s', 'build s', 'dev s', 'check s', 'build', 'result']

function print() {
  const rows = results.map((one) => ({ ...one, result: one.problems.length === 0 ? '✓' : '✗' }))
  const lines = [columns, columns.map(() => '---'), ...rows.map((row) => columns.map((name) => row[name] ?? ''))]
  console.log(`\n${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`)
  for (const { framework, problems } of results) {
    for (const problem of problems) console.error(`\n✗ ${framework}: ${problem.trimEnd()}`)
  }
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in frameworks))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}. There are: ${Object.keys(frameworks).join(', ')}`)
  process.exit(1)
}
const executablePath = find('chromium')
if (executablePath === undefined) {
  console.error(`Chromium is missing. To get it: ${howToInstall(['chromium'])}`)
  process.exit(1)
}
// The frameworks ask for nothing but their packages.
Object.assign(process.env, {
  NEXT_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
  NG_CLI_ANALYTICS: 'false',
})
const { chromium } = await import('playwright-core')
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic'] })
const workplace = mkdtempSync(join(tmpdir(), 'pushstream-frameworks-'))
const results = []
process.once('exit', () => rmSync(workplace, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130))
try {
  const tarballs = packAll(workplace)
  for (const name of wanted.length > 0 ? wanted : Object.keys(frameworks)) {
    console.log(`${frameworks[name].title} …`)
    await check(name, browser, tarballs)
  }
} finally {
  await browser.close()
}
print()
process.exitCode = results.some(({ problems }) => problems.length > 0) ? 1 : 0
