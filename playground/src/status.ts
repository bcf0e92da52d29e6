import { byId, setText } from './dom.js'
import type { Session } from './session.js'

const closed = { state: 'closed', mode: undefined, retryAt: undefined, error: undefined } as const

/** Says how the client is, and the last trouble. The devtools say it to who listens to the page. */
export class StatusView {
  readonly #session: Session
  readonly #state = byId('state', HTMLElement)
  readonly #mode = byId('mode', HTMLElement)
  readonly #retry = byId('retry', HTMLElement)
  readonly #trouble = byId('trouble', HTMLElement)
  readonly #connect = byId('connect', HTMLButtonElement)

  constructor(session: Session) {
    this.#session = session
    session.on('status', () => this.#show())
    this.#connect.addEventListener('click', () => this.connect())
    byId('disconnect', HTMLButtonElement).addEventListener('click', () => {
      session.disconnect()
      this.#show()
    })
    this.#show()
  }

  connect(): void {
    let trouble: unknown
    try {
      this.#session.connect()
    } catch (error) {
      trouble = error
    }
    this.#show()
    if (trouble !== undefined) setText(this.#trouble, String(trouble))
  }

  /** Counts down to the next attempt. */
  tick(): void {
    const { retryAt } = this.#session.status ?? closed
    const left = retryAt === undefined ? undefined : Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))
    setText(this.#retry, left === undefined ? '' : `next try in ${left} s`)
  }

  #show(): void {
    const { state, mode, error } = this.#session.status ?? closed
    setText(this.#state, state)
    this.#state.dataset.state = state
    setText(this.#mode, mode ?? 'no mode')
    this.#mode.dataset.mode = mode ?? ''
    setText(this.#trouble, state === 'closed' ? '' : (error?.message ?? ''))
    setText(this.#connect, state === 'waiting' ? 'Try now' : 'Connect')
    this.#connect.classList.toggle('primary', state === 'closed' || state === 'waiting')
    document.title = `${state} · PushStream playground`
    this.tick()
  }
}
