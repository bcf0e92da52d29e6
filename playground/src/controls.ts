import { byId, setText } from './dom.js'
import { ModesView } from './modes.js'
import type { Session, SessionSettings } from './session.js'

/** Which server, in which modes, checked after how much silence. */
export class ControlsView {
  readonly #session: Session
  readonly #url = byId('url', HTMLInputElement)
  readonly #silence = byId('silence', HTMLInputElement)
  readonly #problem = byId('connection-problem', HTMLElement)
  readonly #modes: ModesView

  constructor(session: Session) {
    this.#session = session
    const { url, modes, silence } = session.settings
    this.#url.value = url
    this.#silence.value = String(silence / 1000)
    this.#modes = new ModesView(modes, (chosen) => {
      if (!this.#configure({ modes: chosen })) this.#modes.restore(session.settings.modes)
    })
    this.#url.addEventListener('change', () => this.#apply())
    this.#silence.addEventListener('change', () => this.#apply())
    byId('connection', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      this.#apply()
    })
  }

  #apply(): void {
    const { settings } = this.#session
    const url = this.#url.value.trim() || location.origin
    const silence = Math.max(1, Number(this.#silence.value) || 10) * 1000
    this.#url.value = url
    this.#silence.value = String(silence / 1000)
    if (url === settings.url && silence === settings.silence) return
    this.#configure({ url, silence })
  }

  #configure(change: Partial<SessionSettings>): boolean {
    try {
      this.#session.configure(change)
      setText(this.#problem, '')
      return true
    } catch (error) {
      setText(this.#problem, (error as Error).message)
      return false
    }
  }
}
