/** A quantile of the values. */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const low = Math.floor(at)
  const below = sorted[low] ?? Number.NaN
  return below + ((sorted[low + 1] ?? below) - below) * (at - low)
}

export const median = (values) => quantile(values, 0.5)

/** The quartiles: half of the values lie between them. */
export const spread = (values) => [quantile(values, 0.25), quantile(values, 0.75)]

/** The slope of a line through the points, by least squares. */
export function slope(points) {
  const mean = (pick) => points.reduce((sum, point) => sum + pick(point), 0) / points.length
  const [x, y] = [mean(([first]) => first), mean(([, second]) => second)]
  return mean(([a, b]) => (a - x) * (b - y)) / mean(([a]) => (a - x) ** 2)
}

/** Rows of texts as a Markdown table. */
export function table(heads, rows) {
  const widths = heads.map((head, i) => Math.max(...[head, ...rows.map((row) => row[i])].map((text) => text.length)))
  const line = (cells) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(heads), rule, ...rows.map(line)].join('\n')
}
