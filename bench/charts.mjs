// Draws the table of the clients in docs/performance.md.

/** The rows of the table below a heading: each by the names of its columns, in their order. */
function rowsBelow(page, heading) {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const [heads = [], , ...rows] = (section.match(/^\|.*\|$/gm) ?? []).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
  return rows.map((cells) => heads.map((name, i) => [name, cells[i]]))
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const width = 400
const left = 16
/** The longest bar. Its value stands behind it. */
const longest = 300

const style = `
    svg { --card: #ffffff; --ink: #1c2430; --soft: #55606f; --bar: #8a94a3; --own: #1d5fbf; }
    @media (prefers-color-scheme: dark) {
      svg { --card: #1b1f27; --ink: #e8ebf0; --soft: #aab3c0; --bar: #6d7786; --own: #7fb2ff; }
    }
    text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); }
    .title { font-size: 15px; font-weight: 600; }
    .soft { fill: var(--soft); }
    .card { fill: var(--card); }
    .bar { fill: var(--bar); }
    .own { fill: var(--own); }
    .second { fill-opacity: .55; }
  `

/** Bars of the clients, one for each series: `{ name, values: [value of each series] }`, and what the series are called. */
function drawing(title, unit, series, clients) {
  const scale = longest / Math.max(...clients.flatMap(({ values }) => values.map(Number)))
  const parts = [`<text class="title" x="${left}" y="28">${escaped(title)}</text>`]
  let y = 38
  if (series.length > 1) {
    series.forEach((name, i) => {
      parts.push(
        `<rect class="bar${i > 0 ? ' second' : ''}" x="${left + i * 110}" y="${y + 2}" width="12" height="12"/>`,
        `<text class="soft" x="${left + 18 + i * 110}" y="${y + 13}">${escaped(name)}</text>`,
      )
    })
    y += 24
  }
  for (const { name, values } of clients) {
    parts.push(`<text x="${left}" y="${y + 16}">${escaped(name)}</text>`)
    y += 22
    values.forEach((value, i) => {
      const length = (value * scale).toFixed(1)
      const kind = `${name.startsWith('@pushstream/') ? 'own' : 'bar'}${i > 0 ? ' second' : ''}`
      parts.push(
        `<rect class="${kind}" x="${left}" y="${y}" width="${length}" height="13"/>`,
        `<text class="soft" x="${left + Number(length) + 6}" y="${y + 11}">${value}</text>`,
      )
      y += 15
    })
    y += 6
  }
  const height = y + 10
  const words = clients.map(({ name, values }) => `${name} ${values.join(' and ')}`).join(', ')
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width * 1.2}" height="${height * 1.2}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc">
  <title id="title">${escaped(title)}</title>
  <desc id="desc">${escaped(`In ${unit}${series.length > 1 ? `, ${series.join(' and ')}` : ''}: ${words}.`)}</desc>
  <style>${style}</style>
  <rect class="card" width="${width}" height="${height}" rx="10"/>
  ${parts.join('\n  ')}
</svg>
`
}

/** The drawings of the page, by their names in its folder. */
export function charts(page) {
  const rows = rowsBelow(page, 'Clients on the same message')
  const clients = (...columns) =>
    rows.flatMap((row) => {
      const values = row.filter(([name]) => columns.includes(name)).map(([, value]) => value)
      return values.length === columns.length && !values.includes('') ? { name: row[0][1], values } : []
    })
  const bySize = clients('bytes').toSorted((a, b) => a.values[0] - b.values[0])
  return {
    'performance-time.svg': drawing(
      'Script time per message, µs',
      'microseconds',
      ['text', 'raw JSON'],
      clients('text, µs', 'raw JSON, µs'),
    ),
    'performance-size.svg': drawing('Size, bytes gzipped', 'bytes', ['bytes'], bySize),
  }
}
