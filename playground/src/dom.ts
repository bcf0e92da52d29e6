type Attributes = Record<string, string | number | boolean | undefined>

/** The element with an id, of the kind the caller needs. A page that lacks it is a mistake of ours. */
export function byId<T extends Element>(id: string, kind: abstract new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} with the id ${id}`)
  return found
}

function fill(node: Element, attributes: Attributes, children: readonly (Node | string)[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    node.setAttribute(name, value === true ? '' : String(value))
  }
  node.append(...children)
}

/** A new HTML element. Strings become text, never markup. */
export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag)
  fill(node, attributes, children)
  return node
}

/** A new SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[K] {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag)
  fill(node, attributes, children)
  return node
}

/** Writes only what changes, so that nothing is announced or painted twice. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

/** Lets the keyboard reach what only scrolling shows. */
export function scrollable(box: HTMLElement): void {
  box.tabIndex = 0
}

/** Says what the parts of a table are: laid out otherwise, for a narrow page, browsers forget it. */
export function tableRoles(table: HTMLTableElement): void {
  const roles = { table: [table], rowgroup: table.querySelectorAll('thead, tbody'), row: table.rows }
  for (const [role, nodes] of Object.entries(roles)) for (const node of nodes) node.setAttribute('role', role)
  for (const node of table.querySelectorAll('th')) node.setAttribute('role', 'columnheader')
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** `14:03:59` */
export const timeOfDay = (ms: number | Date): string => clock.format(ms)
