import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { root } from '../../scripts/workspace.mjs'
import { pageOf } from './pages.mjs'

/** Where the site has files of the repository that are not pages. As text, so that browsers show them. */
const FILES = '/files/'
const linked = new Set()

const isFolder = (path) => existsSync(path) && statSync(path).isDirectory()

/** What a relative link of a file in the repository is in the site. `undefined`: the site has nothing of the kind. */
function inSite(href, from) {
  const [, path, rest] = /^([^?#]*)(.*)$/s.exec(href)
  if (path === '') return href
  const target = resolve(dirname(from), decodeURI(path))
  const file = isFolder(target) ? join(target, 'README.md') : target
  const name = relative(root, file).replaceAll('\\', '/')
  if (name.endsWith('.md')) return existsSync(file) || file === target ? `/${pageOf(name)}${rest}` : undefined
  linked.add(name)
  return `${FILES}${name}.txt${rest}`
}

/** Braces in inline code are text, as they are in blocks. */
export function literalCode(md) {
  const render = md.renderer.rules.code_inline
  md.renderer.rules.code_inline = (...args) => render(...args).replace('<code', '<code v-pre')
}

/** Pages link to each other by their paths in the repository, where they are read too. */
export function repositoryLinks(md) {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    const from = env.realPath ?? env.path
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null
      // A link of the site itself begins with a slash.
      if (href === null || /^(?:[a-z][a-z+.-]*:|\/)/i.test(href)) continue
      const url = inSite(href, from)
      if (url !== undefined) token.attrSet('href', url)
      // A folder without a README: in the site, its name is text.
      else token.attrs = token.attrs.filter(([name]) => name !== 'href')
    }
  })
}

/** Gives the site the files that its pages link to. */
export function copyLinkedFiles(folder) {
  for (const name of linked) {
    const target = join(folder, FILES, `${name}.txt`)
    mkdirSync(dirname(target), { recursive: true })
    cpSync(join(root, name), target)
  }
}

/** The same for the development server. */
export const linkedFiles = {
  name: 'linked-files',
  configureServer({ middlewares }) {
    middlewares.use((request, response, next) => {
      const name = decodeURI(request.url.split('?')[0])
        .slice(FILES.length)
        .replace(/\.txt$/, '')
      if (!request.url.startsWith(FILES) || !linked.has(name)) return next()
      response.setHeader('Content-Type', 'text/plain; charset=utf-8')
      response.end(readFileSync(join(root, name)))
    })
  },
}
