/** A changeset's text as `{ bumps: { [package]: 'patch' | 'minor' | 'major' }, summary }`. Throws if it is not one. */
export function readChangeset(text, file) {
  const [, head, summary] = /^---\n(.*?)\n?---\n(.*)$/s.exec(text) ?? []
  if (head === undefined) throw new Error(`.changeset/${file} does not begin with the packages between two lines '---'`)
  const bumps = Object.fromEntries(
    head.split('\n').flatMap((line) => {
      const [, name, bump] = /^["']?(@?[\w/-]+)["']?: (patch|minor|major)$/.exec(line.trim()) ?? []
      if (name !== undefined) return [[name, bump]]
      if (line.trim() === '') return []
      throw new Error(`.changeset/${file} has the line '${line}': write '"@pushstream/core": minor', patch or major`)
    }),
  )
  if (summary.trim() === '') throw new Error(`.changeset/${file} does not say what changes`)
  return { bumps, summary: summary.trim() }
}

const headings = { major: 'Breaking changes', minor: 'Added and changed', patch: 'Fixed' }

/**
 * The repository's CHANGELOG.md with a section of its own for a version: what changesets say, each one once with the names
 * of its packages, before what was written by hand under *Unreleased*.
 */
export function dated(changelog, { version, date, changes }) {
  const [head, ...sections] = changelog.split(/^(?=## \[)/m)
  const isUnreleased = sections[0]?.startsWith('## [Unreleased]')
  const unreleased = isUnreleased ? sections.shift().replace(/^.*\n/, '') : ''
  const parts = Object.entries(headings).flatMap(([bump, heading]) => {
    const found = changes.filter(({ bumps }) => highest(bumps) === bump)
    return found.length === 0 ? [] : [`### ${heading}\n\n${found.map(item).join('\n')}`]
  })
  const body = [...parts, unreleased.trim()].filter((part) => part !== '').join('\n\n')
  if (body === '')
    throw new Error('No changeset waits, and nothing is under [Unreleased]. To write a changeset: npm run changeset')
  return [`${head.trimEnd()}\n`, `## [${version}] - ${date}\n\n${body}\n`, ...sections].join('\n')
}

function highest(bumps) {
  return Object.keys(headings).find((bump) => Object.values(bumps).includes(bump))
}

function item({ bumps, summary }) {
  const names = Object.keys(bumps).map((name) => `\`${name}\``)
  // On lines of their own: with the names, the first could become too long.
  const lines = summary.split('\n').map((line) => (line === '' ? '' : `  ${line}`))
  return [`- ${names.join(', ')}:`, ...lines].join('\n')
}
