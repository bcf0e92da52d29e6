import { createUpdates } from './updates.js'

/** jQuery, as far as it matters here. */
interface Queryable {
  fn?: unknown
  updates?: unknown
}

/**
 * What a page without a bundler gets: one `Updates`, as `$.updates` too where jQuery was loaded before and nobody else has
 * put one there. It does nothing until something is subscribed.
 */
export function installUpdates(page: { jQuery?: Queryable | undefined } = globalThis as object) {
  const updates = createUpdates()
  const { jQuery } = page
  if (jQuery?.fn !== undefined && jQuery.updates === undefined) jQuery.updates = updates
  return updates
}
