/** The tag that npm gives a version: `latest`, or the name of what it comes before, as `beta` for 1.0.0-beta.1. */
export const tagOf = (version) => /^[\d.]+-([a-z]+)/.exec(version)?.[1] ?? 'latest'

/**
 * What keeps a version from being published, in words.
 *
 * `changesets`: how many wait. `changelogs`: the text of each CHANGELOG.md, by path. `confirmed`: the version that the person
 * typed.
 */
export function obstacles({ version, changesets, changelogs, confirmed }) {
  const found = []
  if (changesets > 0) found.push(`${changesets} changesets wait: npm run release:version`)
  for (const [file, text] of Object.entries(changelogs)) {
    const heading = new RegExp(`^## \\[?${version.replaceAll('.', '\\.')}\\]?( - [\\d-]+)?$`, 'm')
    if (!heading.test(text ?? '')) found.push(`${file} has no section of ${version}: npm run release:version`)
  }
  if (confirmed !== version) {
    found.push(`it was not confirmed: npm run release -- --confirm ${version}`)
  }
  return found
}

/** A package as `npm pack --json` describes it, for people: the tarball, then each file with its size. */
export function describe({ name, version, filename, size, unpackedSize, files }) {
  const width = Math.max(...files.map((file) => bytes(file.size).length))
  const list = files.map((file) => `  ${bytes(file.size).padStart(width)}  ${file.path}`)
  const sum = `${bytes(size)} bytes packed, ${bytes(unpackedSize)} unpacked, ${files.length} files`
  return [`${name} ${version}, tag ${tagOf(version)}: ${filename}, ${sum}`, ...list].join('\n')
}

const bytes = (size) => size.toLocaleString('en')

/**
 * Publishes packed packages, those first that others need, and passes over what the registry has already, so that a
 * release that was interrupted goes on. Returns what was published.
 */
export function publish(all, { has, send, log }) {
  const published = []
  for (const { name, version, path } of all) {
    if (has(name, version)) {
      log(`${name} ${version} is published already`)
      continue
    }
    send(path, tagOf(version))
    log(`${name} ${version} published, tag ${tagOf(version)}`)
    published.push(name)
  }
  return published
}
