// Checks the Markdown of this repository: its structure, the length of its lines, and our style.
//
//   node scripts/release/prose.mjs              all files
//   node scripts/release/prose.mjs README.md    only these
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../npm-packages.mjs'
import { root, tracked } from '../workspace.mjs'
import { offences } from './style.mjs'

installPackages(fileURLToPath(new URL('.', import.meta.url)))
const { lint } = await import('markdownlint/sync')

/** Generated, or written for a test. */
const left = /(^|\/)fixtures\/|^etc\//

const files = () => tracked('*.md').filter((file) => !left.test(file))

/** The leaves of the tree of tokens that are text, and code as one sign. */
function piecesOf(token) {
  if (token.type === 'codeText') return [{ text: '§', line: token.startLine }]
  if (/^(?:data|characterEscapeValue|characterReference)$/.test(token.type)) {
    return [{ text: token.text, line: token.startLine }]
  }
  if (token.type === 'lineEnding') return [{ text: ' ', line: token.startLine }]
  if (/^(?:resource|reference|htmlText|autolink|definition|literalAutolink)/.test(token.type)) return []
  return token.children.flatMap(piecesOf)
}

const holders = /^(?:paragraph|atxHeadingText|setextHeadingText|tableContent|tableHeader|tableData)$/

function visit(tokens, onText) {
  for (const token of tokens) {
    if (holders.test(token.type)) onText(token, piecesOf(token))
    else visit(token.children, onText)
  }
}

const ourStyle = {
  names: ['our-style'],
  description: 'Our style',
  tags: ['style'],
  parser: 'micromark',
  function: ({ parsers }, onError) => {
    visit(parsers.micromark.tokens, ({ type }, pieces) => {
      let text = ''
      for (const piece of pieces) {
        piece.start = text.length
        text += piece.text
      }
      for (const { offset, found, instead } of offences(text, { sentences: type === 'paragraph' })) {
        const { line } = pieces.findLast((piece) => piece.start <= offset)
        const short = found.length > 40 ? `${found.slice(0, 40)}…` : found
        onError({ lineNumber: line, detail: `'${short}': write ${instead}` })
      }
    })
  },
}

const config = {
  default: true,
  // The configuration of nginx has texts that can't be broken.
  'line-length': { line_length: 120, code_block_line_length: 140, strict: true },
  'first-line-h1': false,
  'fenced-code-language': true,
}

const wanted = process.argv.slice(2)
const all = wanted.length > 0 ? wanted : files()
const strings = Object.fromEntries(all.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
const results = lint({ strings, config, customRules: [ourStyle] })
let count = 0
for (const [file, found] of Object.entries(results)) {
  for (const { lineNumber, ruleNames, ruleDescription, errorDetail, errorContext } of found) {
    count++
    console.error(
      `${file}:${lineNumber} ${ruleNames.at(-1)} ${errorDetail ?? ruleDescription}${errorContext ? ` [${errorContext}]` : ''}`,
    )
  }
}
console.log(count === 0 ? `${all.length} files read as they should` : `${count} findings in ${all.length} files`)
process.exitCode = count > 0 ? 1 : 0
