import { byId, setText } from './dom.js'
import type { Session } from './session.js'

/** How to publish from a terminal, with this page's own address and channel. */
export class HowtoView {
  readonly #session: Session
  readonly #line = byId('curl', HTMLElement)
  readonly #said = byId('copied', HTMLElement)

  constructor(session: Session) {
    this.#session = session
    session.on('settings', () => this.#show())
    session.on('channels', () => this.#show())
    byId('copy', HTMLButtonElement).addEventListener('click', () => void this.#copy())
    this.#show()
  }

  #show(): void {
    const [channel = 'global'] = this.#session.channels.keys()
    const url = `${this.#session.base}/pub?id=${encodeURIComponent(channel)}`
    setText(this.#line, `curl -d '{"type":"answer","value":42}' '${url.replaceAll("'", '%27')}'`)
    setText(this.#said, '')
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#line.textContent ?? '')
      setText(this.#said, 'Copied.')
    } catch {
      // Without the permission it is selected, so that the keyboard can copy it.
      getSelection()?.selectAllChildren(this.#line)
      setText(this.#said, 'Selected: copy it with the keyboard.')
    }
  }
}
