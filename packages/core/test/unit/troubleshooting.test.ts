import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Advice, advice } from '../../src/troubleshooting.js'

const page = readFileSync(new URL('../../../../docs/troubleshooting.md', import.meta.url), 'utf8')
/** Without what Markdown adds: line breaks and links. */
const plain = (text: string) => text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/\s+/g, ' ')

test('docs/troubleshooting.md → a heading for each symptom, in the order of the table', () => {
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
  expect(headings).toEqual(Object.keys(advice))
})

/** The directives, as the page lists them. */
const directives = ({ pushStream, nchan }: Advice) => {
  const lines = [pushStream && `# push stream module\n${pushStream}`, nchan && `# Nchan\n${nchan}`].filter(Boolean)
  return lines.length > 0 ? `\n\n\`\`\`nginx\n${lines.join('\n')}\n\`\`\`` : ''
}

test.each(Object.entries(advice))('%s → the page says what the table says', (symptom, one) => {
  const section = page.split(`## ${symptom}\n`)[1]?.split('\n## ')[0] ?? ''
  const { title, cause, mend } = one
  expect(plain(section).trim()).toBe(plain(`**${title}.** ${cause} ${mend}${directives(one)}`))
})
