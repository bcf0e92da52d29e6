// How changesets words a package's CHANGELOG.md: each line as it was written, without the commit.

/** What a changeset says, its further lines indented as part of the item. */
exports.getReleaseLine = async ({ summary }) => {
  const [first, ...others] = summary.trim().split('\n')
  return [`- ${first}`, ...others.map((line) => (line === '' ? '' : `  ${line}`))].join('\n')
}

/** All packages have one version, so that a new version of another package says nothing. */
exports.getDependencyReleaseLine = async () => ''
