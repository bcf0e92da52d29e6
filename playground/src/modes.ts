import type { ModeName } from '@pushstream/core'
import { byId, html } from './dom.js'
import { allModes } from './preset.js'

/** What each mode is on the wire, for who meets the names first. */
const about: Record<ModeName, string> = {
  websocket: 'one socket',
  eventsource: 'SSE',
  stream: 'endless answer',
  longpolling: 'poll by poll',
}

/** The list of modes: which are used, and in which order they are tried. */
export class ModesView {
  readonly #list = byId('modes', HTMLOListElement)
  readonly #changed: (modes: readonly ModeName[]) => void

  constructor(modes: readonly ModeName[], changed: (modes: readonly ModeName[]) => void) {
    this.#changed = changed
    const rest = allModes.filter((mode) => !modes.includes(mode))
    this.#list.append(...[...modes, ...rest].map((mode) => this.#item(mode, modes.includes(mode))))
    this.#ends()
  }

  /** The chosen ones in order. */
  get modes(): ModeName[] {
    const boxes = this.#list.querySelectorAll<HTMLInputElement>('input:checked')
    return [...boxes].map((box) => box.value as ModeName)
  }

  /** Puts the boxes back to what holds. */
  restore(modes: readonly ModeName[]): void {
    for (const box of this.#list.querySelectorAll('input')) box.checked = modes.includes(box.value as ModeName)
  }

  #item(mode: ModeName, on: boolean): HTMLLIElement {
    const id = `mode-${mode}`
    const box = html('input', { type: 'checkbox', id, value: mode, 'data-testid': id })
    box.checked = on
    box.addEventListener('change', () => this.#changed(this.modes))
    const move = (direction: 'up' | 'down') => {
      const label = `Move ${mode} ${direction}`
      const glyph = html('span', { 'aria-hidden': 'true' }, direction === 'up' ? '↑' : '↓')
      const attributes = { type: 'button', class: 'icon', 'aria-label': label, title: label }
      const button = html('button', { ...attributes, 'data-testid': `${id}-${direction}` }, glyph)
      button.addEventListener('click', () => {
        if (direction === 'up') item.previousElementSibling?.before(item)
        else item.nextElementSibling?.after(item)
        this.#ends()
        // Moving a node takes its focus away, and an end has no button to go on with.
        const other = item.querySelector<HTMLButtonElement>('button:not([disabled])')
        ;(button.disabled ? other : button)?.focus()
        if (box.checked) this.#changed(this.modes)
      })
      return button
    }
    const swatch = html('span', { class: 'swatch', 'data-mode': mode, 'aria-hidden': 'true' })
    const name = html('label', { for: id }, swatch, mode, ' ', html('small', {}, about[mode]))
    const item = html('li', {}, box, name, move('up'), move('down'))
    return item
  }

  /** The first can't go up, the last can't go down. */
  #ends(): void {
    for (const item of this.#list.children) {
      const [up, down] = item.querySelectorAll('button')
      if (up) up.disabled = item === this.#list.firstElementChild
      if (down) down.disabled = item === this.#list.lastElementChild
    }
  }
}
