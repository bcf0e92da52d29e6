import { join } from 'node:path'
import { packages } from '../../scripts/workspace.mjs'

export const SCOPE = '@pushstream/'

/** The public modules by name, with their sources. Commands export nothing. */
export const modules = new Map(
  packages().flatMap(({ name, entries }) =>
    Object.entries(entries)
      .filter(([entry]) => entry !== 'cli')
      .map(([entry, source]) => [join(name, entry.replace(/(^|\/)index$/, '')), source]),
  ),
)
