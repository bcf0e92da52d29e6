// Checks the relative links of all Markdown files, and their anchors. It needs no network: other addresses are not asked.
import { join } from 'node:path'
import { brokenInMarkdown } from './links.mjs'
import { root, tracked } from './workspace.mjs'

const files = tracked('*.md')
const broken = brokenInMarkdown(
  files.map((file) => join(root, file)),
  root,
)
for (const line of broken) console.error(line)
console.log(`${files.length} Markdown files, ${broken.length} broken links`)
if (broken.length > 0) process.exitCode = 1
