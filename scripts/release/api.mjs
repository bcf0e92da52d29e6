/** The name of the report of a package's entry: `core.api.md`, `core.share.api.md`. */
export const reportName = (folder, entry) => `${folder}${entry.slice(1).replaceAll('/', '.')}.api.md`

/** What differs between the reports that are committed and those of the build, by name, in words. */
export function differences(committed, built) {
  const names = [...new Set([...Object.keys(committed), ...Object.keys(built)])].sort()
  return names.flatMap((name) => {
    if (!(name in built)) return [`etc/${name} is of an entry that does not exist`]
    if (!(name in committed)) return [`etc/${name} is missing`]
    if (committed[name] === built[name]) return []
    return [`etc/${name} is not what the package exports:\n${changedLines(committed[name], built[name])}`]
  })
}

const SHOWN = 20

/** The lines that only one of two texts has, as often as it has them more. */
function changedLines(before, after) {
  const only = (some, others) => {
    const left = new Map()
    for (const line of others.split('\n')) left.set(line, (left.get(line) ?? 0) + 1)
    return some.split('\n').filter((line) => {
      const count = left.get(line) ?? 0
      left.set(line, count - 1)
      return count <= 0 && line.trim() !== ''
    })
  }
  const lines = [
    ...only(before, after).map((line) => `  - ${line}`),
    ...only(after, before).map((line) => `  + ${line}`),
  ]
  if (lines.length === 0) return '  the order of its lines'
  return [...lines.slice(0, SHOWN), ...(lines.length > SHOWN ? [`  … ${lines.length - SHOWN} more`] : [])].join('\n')
}
