import type { Status } from '@pushstream/core'
import { byId, setText } from './dom.js'
import type { Session } from './session.js'

const closed = { state: 'closed', mode: undefined, attempt: 0, retryAt: undefined, error: undefined } as const

/** Says how the client is: pills for the eye, a sentence for who listens, and the last trouble. */
export class StatusView {
  readonly #session: Session
  readonly #state = byId('state', HTMLElement)
  readonly #mode = byId('mode', HTMLElement)
  readonly #sentence = byId('status-sentence', HTMLElement)
  readonly #retry = byId('retry', HTMLElement)
  readonly #trouble = byId('trouble', HTMLElement)
  readonly #connect = byId('connect', HTMLButtonElement)

  constructor(session: Session) {
    this.#session = session
    session.on('status', () => this.#show())
    this.#connect.addEventListener('click', () => {
      try {
        session.connect()
      } catch (error) {
        setText(this.#trouble, String(error))
      }
      this.#show()
    })
    byId('disconnect', HTMLButtonElement).addEventListener('click', () => {
      session.disconnect()
      this.#show()
    })
    this.#show()
  }

  /** Counts down to the next attempt: apart from the sentence, so that it is not read out every second. */
  tick(): void {
    const { retryAt } = this.#session.status ?? closed
    const left = retryAt === undefined ? undefined : Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))
    setText(this.#retry, left === undefined ? '' : `next try in ${left} s`)
  }

  #show(): void {
    const { state, mode, attempt, error } = this.#session.status ?? closed
    setText(this.#state, state)
    this.#state.dataset.state = state
    setText(this.#mode, mode ?? 'no mode')
    this.#mode.dataset.mode = mode ?? ''
    setText(this.#sentence, sentence(state, mode, attempt))
    setText(this.#trouble, state === 'closed' ? '' : (error?.message ?? ''))
    setText(this.#connect, state === 'waiting' ? 'Try now' : 'Connect')
    this.#connect.classList.toggle('primary', state === 'closed' || state === 'waiting')
    document.title = `${state} · PushStream playground`
    this.tick()
  }
}

function sentence(state: Status['state'], mode: Status['mode'], attempt: number): string {
  if (state === 'open') return `Open over ${mode}.`
  if (state === 'waiting') return `Waiting to try again${attempt > 1 ? ` after ${attempt} failures` : ''}.`
  return state === 'connecting' ? 'Connecting.' : 'Closed.'
}
