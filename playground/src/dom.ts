export { html, setText, timeOfDay } from '../../packages/devtools/src/dom.js'

/** The element with an id, of the kind the caller needs. A page that lacks it is a mistake of ours. */
export function byId<T extends Element>(id: string, kind: abstract new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} with the id ${id}`)
  return found
}
