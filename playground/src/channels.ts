import { byId, html, setText } from './dom.js'
import type { Session } from './session.js'

/** The channels that are subscribed: to add to and remove from while connected. */
export class ChannelsView {
  readonly #session: Session
  readonly #list = byId('channels', HTMLUListElement)
  readonly #name = byId('add-channel-name', HTMLInputElement)
  readonly #backtrack = byId('add-channel-backtrack', HTMLInputElement)
  readonly #problem = byId('add-channel-problem', HTMLElement)
  readonly #known = byId('known-channels', HTMLDataListElement)

  constructor(session: Session) {
    this.#session = session
    session.on('channels', () => this.#show())
    session.on('problem', ({ message }) => setText(this.#problem, message))
    byId('add-channel', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      this.#add()
    })
    this.#show()
  }

  #add(): void {
    const name = this.#name.value.trim()
    if (name === '') return this.#name.focus()
    try {
      this.#session.add(name, Number(this.#backtrack.value) || 0)
      this.#name.value = ''
      setText(this.#problem, '')
    } catch (error) {
      setText(this.#problem, (error as Error).message)
    }
    this.#name.focus()
  }

  #show(): void {
    const { channels } = this.#session
    const items = [...channels].map(([name, backtrack]) => {
      const remove = html(
        'button',
        { type: 'button', class: 'icon', 'aria-label': `Remove ${name}`, 'data-testid': `remove-channel-${name}` },
        html('span', { 'aria-hidden': 'true' }, '×'),
      )
      remove.addEventListener('click', () => {
        this.#session.remove(name)
        this.#name.focus()
      })
      const label = html('span', { class: 'name' }, name)
      if (backtrack > 0) label.append(' ', html('small', {}, `from ${backtrack} back`))
      return html('li', { 'data-channel': name }, label, remove)
    })
    if (items.length === 0) items.push(html('li', { class: 'none' }, 'No channel: add one to receive anything.'))
    this.#list.replaceChildren(...items)
    this.#known.replaceChildren(...[...channels.keys()].map((name) => html('option', { value: name })))
  }
}
