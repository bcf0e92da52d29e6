type Attributes = Record<string, string | number | boolean | undefined>

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

/** A button that calls back. */
export function button(attributes: Attributes, label: Node | string, pressed: () => void): HTMLButtonElement {
  const node = html('button', { type: 'button', ...attributes }, label)
  node.addEventListener('click', pressed)
  return node
}

/** A list to choose one of: values with their labels. */
export function choice(
  attributes: Attributes,
  options: readonly (readonly [value: string, label: string])[],
): HTMLSelectElement {
  return html('select', attributes, ...options.map(([value, label]) => html('option', { value }, label)))
}

/**
 * A table in a box that the keyboard can scroll. Its parts say what they are: laid out otherwise, for a narrow page,
 * browsers forget it.
 */
export function table(name: string, label: string, columns: readonly string[]) {
  const head = columns.map((column) => html('th', { scope: 'col', role: 'columnheader' }, column))
  const body = html('tbody', { role: 'rowgroup' })
  const box = html(
    'div',
    { class: `box ${name}`, role: 'region', 'aria-label': label, tabindex: 0, 'data-testid': `devtools-${name}` },
    html(
      'table',
      { role: 'table', 'aria-label': label },
      html('thead', { role: 'rowgroup' }, html('tr', { role: 'row' }, ...head)),
      body,
    ),
  )
  return { box, body }
}

/** A row of such a table: its cells by the names of their classes. */
export function row(attributes: Attributes, cells: Readonly<Record<string, string | readonly (Node | string)[]>>) {
  return html(
    'tr',
    { role: 'row', ...attributes },
    ...Object.entries(cells).map(([name, content]) =>
      html('td', { class: name, role: 'cell' }, ...(typeof content === 'string' ? [content] : content)),
    ),
  )
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** `14:03:59` */
export const timeOfDay = (ms: number | Date): string => clock.format(ms)

/** `7.5 ms`, `310 ms`, `1.2 s` */
export const duration = (ms: number | undefined): string => {
  if (ms === undefined) return '–'
  if (ms < 100) return `${+ms.toFixed(1)} ms`
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}
