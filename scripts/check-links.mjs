// Checks the relative links of all Markdown files, and their anchors. It needs no network: other addresses are not asked.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { brokenInMarkdown } from './links.mjs'
import { root } from './workspace.mjs'

// Those that are not committed yet count too.
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
const files = listed.trim().split('\n')
const broken = brokenInMarkdown(
  files.map((file) => join(root, file)),
  root,
)
for (const line of broken) console.error(line)
console.log(`${files.length} Markdown files, ${broken.length} broken links`)
if (broken.length > 0) process.exitCode = 1
