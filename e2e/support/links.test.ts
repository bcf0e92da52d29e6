import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

interface Links {
  brokenInMarkdown(files: readonly string[], root: string): readonly string[]
  brokenInSite(folder: string, base?: string): readonly string[]
}

const { brokenInMarkdown, brokenInSite }: Links = await import(new URL('../../scripts/links.mjs', import.meta.url).href)

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pushstream-links-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function write(path: string, text: string): string {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

const check = (text: string) => brokenInMarkdown([write('docs/page.md', text)], root)

test.each([
  ['a file that is not there', '[a](gone.md)', 'docs/page.md:1: gone.md: there is no such file'],
  ['an anchor of this page that is not there', '\n[a](#gone)', 'docs/page.md:2: #gone: there is no such heading'],
  [
    'an anchor of another page',
    '[a](../README.md#gone)',
    'docs/page.md:1: ../README.md#gone: there is no such heading',
  ],
  ['an anchor of a folder', '[a](..#gone)', 'docs/page.md:1: ..#gone: there is no such heading'],
  ['an anchor of a file without headings', '[a](a.conf#b)', 'docs/page.md:1: a.conf#b: only Markdown has anchors'],
  ['a file outside of the repository', '[a](../../b.md)', 'docs/page.md:1: ../../b.md: it leaves the repository'],
  ['an image', '![a](gone.png)', 'docs/page.md:1: gone.png: there is no such file'],
  ['a reference', '[a]: gone.md', 'docs/page.md:1: gone.md: there is no such file'],
  ['HTML', 'An <a href="gone.md">a</a>', 'docs/page.md:1: gone.md: there is no such file'],
  ['a text that goes over a line', '\n[a\nb](gone.md)', 'docs/page.md:3: gone.md: there is no such file'],
])('Markdown: %s → reported with file and line', (_, text, expected) => {
  write('README.md', '# Read\n')
  write('docs/a.conf', '')
  expect(check(text)).toEqual([expected])
})

test('Markdown: links that lead somewhere, code, and other addresses → nothing to report', () => {
  write('README.md', '# Read me\n\n## Options of `a({ … })`\n\n## Twice\n\n## Twice\n')
  const text = [
    '# Page, with *words* and a [link](../README.md)',
    '[a](../README.md#options-of-a--) [b](#page-with-words-and-a-link) [c](..#twice-1) [d](..) [e](page.md "title")',
    '<https://example.org> [f](https://example.org/x) [g](//example.org) [h](mailto:a@example.org)',
    '`[i](gone.md)`',
    '```md',
    '[j](gone.md)',
    '# Not a heading',
    '```',
  ]
  expect(check(text.join('\n'))).toEqual([])
  expect(check(`${text.join('\n')}\n[k](#not-a-heading)`)).toHaveLength(1)
})

test('a site: pages, files and anchors that are not there → reported with the page', () => {
  write('index.html', '<a href="/guide#one"></a><a href="/guide#gone"></a><a href="#here"></a><i id="here"></i>')
  write('guide.html', '<h2 id="one"></h2><a href="/gone"></a><a href="./sub/page"></a><img src="/a.svg">')
  write('sub/page.html', '<a href="../guide#one"></a><a href="/sub/"></a><a href="https://example.org/gone"></a>')
  write('sub/index.html', '<a href="/">home</a><a href="/sub/page?a=1&amp;b"></a>')
  expect([...brokenInSite(root)].sort()).toEqual([
    'guide.html: /a.svg: there is no such page',
    'guide.html: /gone: there is no such page',
    'index.html: /guide#gone: there is no such heading',
  ])
})

test('a site below a path → links within it are checked, others leave it', () => {
  write('index.html', '<a href="/docs/guide"></a><a href="/docs/gone"></a><a href="/guide"></a>')
  write('guide.html', '')
  expect(brokenInSite(root, '/docs/')).toEqual([
    'index.html: /docs/gone: there is no such page',
    'index.html: /guide: it leaves the site',
  ])
})
