import { html } from '../dom.js'
import type { View } from './view.js'

/** Shows one view at a time, chosen by tabs: with the arrows, Home and End, as tabs are. */
export class Tabs {
  readonly nodes: readonly HTMLElement[]
  readonly #views: readonly View[]
  readonly #tabs: readonly HTMLElement[]
  readonly #panels: readonly HTMLElement[]
  #chosen = 0

  constructor(views: readonly View[], chosen: () => void) {
    this.#views = views
    this.#tabs = views.map(({ title }, i) => {
      const id = title.toLowerCase()
      const tab = html(
        'button',
        {
          type: 'button',
          role: 'tab',
          id: `tab-${id}`,
          'aria-controls': `panel-${id}`,
          'data-testid': `devtools-tab-${id}`,
        },
        title,
      )
      tab.addEventListener('click', () => {
        this.#choose(i)
        chosen()
      })
      return tab
    })
    this.#panels = views.map(({ title, node }) => {
      const id = title.toLowerCase()
      const attributes = { class: `view ${id}`, role: 'tabpanel', id: `panel-${id}`, 'aria-labelledby': `tab-${id}` }
      return html('section', attributes, node)
    })
    const list = html('div', { role: 'tablist', 'aria-label': 'Views' }, ...this.#tabs)
    list.addEventListener('keydown', (event) => {
      const next = { ArrowRight: this.#chosen + 1, ArrowLeft: this.#chosen - 1, Home: 0, End: -1 }[event.key]
      if (next === undefined) return
      event.preventDefault()
      this.#choose((next + views.length) % views.length)
      this.#tabs[this.#chosen]?.focus()
      chosen()
    })
    this.nodes = [list, ...this.#panels]
    this.#choose(0)
  }

  /** The views that can be seen. */
  get visible(): readonly View[] {
    return [this.#views[this.#chosen] as View]
  }

  #choose(index: number): void {
    this.#chosen = index
    this.#tabs.forEach((tab, i) => {
      tab.setAttribute('aria-selected', String(i === index))
      tab.tabIndex = i === index ? 0 : -1
    })
    this.#panels.forEach((panel, i) => {
      panel.hidden = i !== index
    })
  }
}

/** Shows all views below each other. */
export class Stack {
  readonly nodes: readonly HTMLElement[]
  readonly visible: readonly View[]

  constructor(views: readonly View[]) {
    this.visible = views
    // No landmarks: each has a table that is one, by the same name.
    this.nodes = views.map(({ title, node }) =>
      html('section', { class: `view ${title.toLowerCase()}` }, html('h3', {}, title), node),
    )
  }
}
