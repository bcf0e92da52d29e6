import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { slugOf } from '../../scripts/slug.mjs'
import { root } from '../../scripts/workspace.mjs'
import { copyLinkedFiles, linkedFiles, literalCode, repositoryLinks } from './links.mjs'
import { pageOf, sidebar } from './pages.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const icon = readFileSync(join(root, 'playground/icon.svg'), 'utf8')
const { version } = JSON.parse(readFileSync(join(root, 'packages/core/package.json'), 'utf8'))

/** VitePress looks for its dependencies from the root of the pages, which does not have them. */
const foundWhenImported = {
  name: 'found-when-imported',
  enforce: 'post',
  config({ optimizeDeps }) {
    optimizeDeps.include = optimizeDeps.include?.filter((name) => !name.startsWith('vitepress > '))
  },
}

export default defineConfig({
  title: 'PushStream',
  description: 'Self-hosted push for the browser, through your own nginx: each message once, in order.',
  lang: 'en',
  // Where it is served, if that is not the root of an origin.
  base: process.env.DOCS_BASE ?? '/',
  // All Markdown of the repository, in place.
  srcDir: root,
  srcExclude: ['etc/**', 'e2e/artefacts/**', 'test-results/**', 'playwright-report/**', 'scripts/**'],
  rewrites: pageOf,
  outDir: at('dist'),
  cacheDir: at('cache'),
  cleanUrls: true,
  metaChunk: true,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
  markdown: {
    // Braces in headings are text.
    attrs: { disable: true },
    anchor: { slugify: slugOf },
    config(md) {
      repositoryLinks(md)
      literalCode(md)
    },
  },
  vite: {
    // The repository's own is for its tests.
    configFile: false,
    publicDir: false,
    plugins: [linkedFiles, foundWhenImported],
    // Not the pages of tests and of the playground.
    optimizeDeps: { entries: [] },
    // The reference has long pages.
    build: { chunkSizeWarningLimit: 1000 },
  },
  buildEnd: ({ outDir }) => copyLinkedFiles(outDir),
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start/', activeMatch: '^/start/' },
      { text: 'Guide', link: '/core' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
      { text: 'API', link: '/reference/api/', activeMatch: '^/reference/' },
      { text: version, link: '/changelog' },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
  },
})
