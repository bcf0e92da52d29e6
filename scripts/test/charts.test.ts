import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const { charts }: { charts(page: string): Record<string, string> } = await import(
  new URL('../../bench/charts.mjs', import.meta.url).href
)
const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
const page = readFileSync(`${docs}performance.md`, 'utf8')

/** The bars of a drawing, as a reader sees them: whose, how long, and the number behind. */
const barsOf = (svg: string) => {
  let name = ''
  return [
    ...svg.matchAll(
      /<text x="16"[^>]*>([^<]*)<|<rect class="(?:bar|own)[^>]* width="([\d.]+)" height="13"\/>\s*<text[^>]*>([^<]*)</g,
    ),
  ].flatMap(([, written, width, value]) => {
    name = written ?? name
    return width === undefined ? [] : [{ name, width: Number(width), value }]
  })
}

test.each(['performance-time.svg', 'performance-size.svg'])(
  'docs/%s → drawn from the table of the page',
  async (file) => {
    expect(page).toContain(`](${file})`)
    await expect(charts(page)[file]).toMatchFileSnapshot(`${docs}${file}`)
  },
)

test('every figure of the table → a bar with this number', () => {
  const cells = page
    .split('\n## ')
    .find((section) => section.startsWith('Clients on the same message'))
    ?.match(/^\| [^-].*$/gm)
    ?.slice(1)
    .map((row) => row.split('|').map((cell) => cell.trim()))
  const figures = (...columns: number[]) =>
    cells?.flatMap((row) => columns.flatMap((at) => (row[at] ? `${row[1]} ${row[at]}` : []))).sort()
  const drawn = (file: string) => barsOf(readFileSync(docs + file, 'utf8')).map(({ name, value }) => `${name} ${value}`)
  expect(figures(6)).toHaveLength(6)
  expect(drawn('performance-size.svg').sort()).toEqual(figures(6))
  expect(drawn('performance-time.svg').sort()).toEqual(figures(2, 4))
})

test('bars → as long as their figures, the longest 300, sizes from the smallest on', () => {
  const table = `
## Clients on the same message

| client | text, µs | ratio | raw JSON, µs | ratio | bytes |
| ------ | -------: | ----: | -----------: | ----: | ----: |
| bare   |     0.50 |  1.00 |         1.00 |  1.00 |       |
| big <1 |     1.00 |  2.00 |         2.00 |  1.50 |   300 |
| @pushstream/core | 1.50 | 3.00 | 1.00 |  1.00 |   100 |
| silent |          |       |              |       |   150 |

## Another

| client | text, µs |
| ------ | -------: |
| other  |     9.00 |
`
  const { 'performance-time.svg': time = '', 'performance-size.svg': size = '' } = charts(table)
  expect(barsOf(time).map(({ name, width, value }) => [name, width, value])).toEqual([
    ['bare', 75, '0.50'],
    ['bare', 150, '1.00'],
    ['big &lt;1', 150, '1.00'],
    ['big &lt;1', 300, '2.00'],
    ['@pushstream/core', 225, '1.50'],
    ['@pushstream/core', 150, '1.00'],
  ])
  expect(barsOf(size).map(({ name, width }) => [name, width])).toEqual([
    ['@pushstream/core', 100],
    ['silent', 150],
    ['big &lt;1', 300],
  ])
  expect(size).toContain('<desc id="desc">In bytes: @pushstream/core 100, silent 150, big &lt;1 300.</desc>')
})
