import { byId, setText } from './dom.js'
import { publish, stamp } from './publisher.js'
import type { Session } from './session.js'

/** The box to publish one message with. */
export class ComposeView {
  readonly #session: Session
  readonly #channel = byId('publish-channel', HTMLInputElement)
  readonly #text = byId('publish-text', HTMLTextAreaElement)
  readonly #eventId = byId('publish-event-id', HTMLInputElement)
  readonly #eventType = byId('publish-event-type', HTMLInputElement)
  readonly #stamped = byId('publish-stamped', HTMLInputElement)
  readonly #result = byId('publish-result', HTMLElement)

  constructor(session: Session) {
    this.#session = session
    const form = byId('publish', HTMLFormElement)
    this.#channel.value = [...session.channels.keys()][0] ?? 'global'
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#publish()
    })
    this.#text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      form.requestSubmit()
    })
  }

  get channel(): string {
    return this.#channel.value.trim()
  }

  async #publish(): Promise<void> {
    const { channel } = this
    const text = this.#text.value
    const body = this.#stamped.checked ? stamp(text) : text
    try {
      const { subscribers } = await publish(this.#session.base, channel, body, {
        eventId: this.#eventId.value.trim(),
        eventType: this.#eventType.value.trim(),
      })
      const reach =
        subscribers === undefined ? '' : `, ${subscribers} ${subscribers === 1 ? 'subscriber' : 'subscribers'}`
      this.#say(`Published to ${channel}${reach}.`)
    } catch (error) {
      this.#say(`Not published. ${(error as Error).message}`, true)
    }
  }

  #say(text: string, bad = false): void {
    setText(this.#result, text)
    this.#result.classList.toggle('problem', bad)
  }
}
