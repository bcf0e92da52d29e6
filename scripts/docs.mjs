// npm run docs: the documentation site on a development server.
//
//   npm run docs -- --port 4000     on another port than 5173
//   npm run docs -- build           the site, into docs/.vitepress/dist; every link in it has to lead somewhere
//   npm run docs -- preview         serves what was built
//
// DOCS_BASE  where the site will be served, if that is not the root of an origin: /pushstream/
import './node-version.mjs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { brokenInSite } from './links.mjs'
import { installPackages } from './npm-packages.mjs'
import { root } from './workspace.mjs'

const folder = join(root, 'docs')
const given = process.argv.slice(2)
const [command, ...options] = given[0] === undefined || given[0].startsWith('-') ? ['dev', ...given] : given

if (!['dev', 'build', 'preview'].includes(command)) {
  console.error(`There is no '${command}'. Usage: npm run docs -- [build | preview] [options of VitePress]`)
  process.exit(1)
}

installPackages(folder)
if (command !== 'preview') {
  // What it imports is installed only now.
  const { writeApi } = await import('../docs/.vitepress/api.mjs')
  await writeApi()
}
const program = join(folder, 'node_modules/vitepress')
if (command === 'build') {
  const { build } = await import(pathToFileURL(join(program, 'dist/node/index.js')).href)
  await build(folder)
  const broken = brokenInSite(join(folder, '.vitepress/dist'), process.env.DOCS_BASE)
  for (const line of broken) console.error(line)
  console.log(`docs/.vitepress/dist: ${broken.length} broken links`)
  if (broken.length > 0) process.exitCode = 1
} else {
  // In this process, so that what ends this ends the server.
  const file = join(program, 'bin/vitepress.js')
  process.argv.splice(1, Infinity, file, command, folder, ...options)
  await import(pathToFileURL(file).href)
}
