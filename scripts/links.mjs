import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { slugOf } from './slug.mjs'

const decoded = (text) => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** An address that begins with a scheme or with `//` leads elsewhere, and is not checked. */
const elsewhere = /^(?:[a-z][a-z\d+.-]*:|\/\/)/i

/** A line that begins or ends a block of code. */
const fence = /^[\s>]*(`{3,}|~{3,})/

/** The lines of a Markdown text, those of blocks of code as empty ones. */
function prose(text) {
  let open
  return text.split('\n').map((line) => {
    const [, mark] = fence.exec(line) ?? []
    if (open === undefined) {
      open = mark
      return mark === undefined ? line : ''
    }
    if (mark?.startsWith(open)) open = undefined
    return ''
  })
}

/** The anchors of a Markdown text. */
function anchorsOf(text) {
  const found = new Set()
  for (const line of prose(text)) {
    const [, heading] = /^#{1,6}\s+(.+?)(?:\s+#+)?\s*$/.exec(line) ?? []
    if (heading !== undefined) {
      const slug = slugOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', ''))
      let unique = slug
      for (let n = 1; found.has(unique); n++) unique = `${slug}-${n}`
      found.add(unique)
    }
    for (const [, id] of line.matchAll(/\s(?:id|name)="([^"]+)"/g)) found.add(id)
  }
  return found
}

/** The links of a Markdown text: `{ line, href }`. */
function linksOf(text) {
  // A link may go over a line's end, so the text is searched as a whole.
  const clean = prose(text)
    .join('\n')
    .replace(/`+[^`]*`+/g, (code) => code.replace(/[^\n]/g, ' '))
  const lineAt = (index) => clean.slice(0, index).split('\n').length
  const patterns = [/\]\(\s*<?([^\s)>]+)>?[^)]*\)/g, /^ {0,3}\[[^\]]+\]:\s*(\S+)/gm, /\s(?:href|src)="([^"]+)"/g]
  return patterns.flatMap((pattern) =>
    [...clean.matchAll(pattern)].map(({ index, 1: href }) => ({ line: lineAt(index), href })),
  )
}

/** What is wrong with the relative links of Markdown files, a line each. `root`: the folder that they must not leave. */
export function brokenInMarkdown(files, root) {
  const texts = new Map()
  const textOf = (file) => {
    if (!texts.has(file)) texts.set(file, readFileSync(file, 'utf8'))
    return texts.get(file)
  }
  return files.flatMap((file) =>
    linksOf(textOf(file)).flatMap(({ line, href }) => {
      const why = elsewhere.test(href) ? undefined : wrongWith(href, file, { root, textOf })
      return why === undefined ? [] : [`${relative(root, file)}:${line}: ${href}: ${why}`]
    }),
  )
}

function wrongWith(href, file, { root, textOf }) {
  const [, path, anchor] = /^([^?#]*)(?:\?[^#]*)?(?:#(.*))?$/s.exec(href)
  // What begins with a slash is a page of the site, which is checked when it is built.
  if (path.startsWith('/')) return undefined
  const named = path === '' ? file : resolve(dirname(file), decoded(path))
  if (relative(root, named).startsWith('..')) return 'it leaves the repository'
  if (!existsSync(named)) return 'there is no such file'
  const target = statSync(named).isDirectory() ? join(named, 'README.md') : named
  if (anchor === undefined || anchor === '') return undefined
  if (!target.endsWith('.md') || !existsSync(target)) return 'only Markdown has anchors'
  return anchorsOf(textOf(target)).has(decoded(anchor)) ? undefined : 'there is no such heading'
}

const unescaped = (text) => text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"')

/** What is wrong with the links of a built site, a line each. `base`: where the site is served. */
export function brokenInSite(folder, base = '/') {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(folder, file)).isFile())
    .map((file) => file.replaceAll('\\', '/'))
  const known = new Set(files)
  const pages = new Map(
    files
      .filter((file) => file.endsWith('.html'))
      .map((file) => {
        const html = readFileSync(join(folder, file), 'utf8')
        const values = (pattern) => [...html.matchAll(pattern)].map(([, value]) => unescaped(value))
        const ids = new Set(values(/\s(?:id|name)="([^"]*)"/g))
        return [file, { ids, links: new Set(values(/\s(?:href|src)="([^"]*)"/g)) }]
      }),
  )
  const fileOf = (path) =>
    [path, `${path}.html`, `${path.replace(/\/$/, '')}/index.html`].find((file) => known.has(file))
  return [...pages].flatMap(([page, { links }]) =>
    [...links].flatMap((href) => {
      if (href === '' || elsewhere.test(href)) return []
      const { pathname, hash } = new URL(href, `http://site${base}${page}`)
      if (!pathname.startsWith(base)) return [`${page}: ${href}: it leaves the site`]
      const path = decoded(pathname.slice(base.length))
      const file = path === '' ? 'index.html' : fileOf(path)
      if (file === undefined) return [`${page}: ${href}: there is no such page`]
      const anchor = decoded(hash.slice(1))
      if (anchor === '' || pages.get(file)?.ids.has(anchor)) return []
      return [`${page}: ${href}: there is no such heading`]
    }),
  )
}
