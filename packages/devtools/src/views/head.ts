import type { Stats, Status } from '@pushstream/core'
import { button, html, setText } from '../dom.js'
import type { Recorder } from '../model/recorder.js'
import { reportOf } from '../report.js'

const counters: Readonly<Record<keyof Stats, string>> = {
  received: 'Received',
  duplicates: 'Duplicates',
  gaps: 'Gaps',
  reconnects: 'Reconnects',
}

/** How the client is, its counters, and what can be done to it. */
export class HeadView {
  readonly node: HTMLElement
  readonly #recorder: Recorder
  readonly #state = html('span', { class: 'pill state' })
  readonly #mode = html('span', { class: 'pill mode', 'data-testid': 'devtools-mode' })
  readonly #retry = html('span', { class: 'hint' })
  /** For who listens to the page. */
  readonly #sentence = html('p', { class: 'hidden', role: 'status' })
  readonly #result = html('p', { class: 'hint result', role: 'status', 'data-testid': 'devtools-result' })
  readonly #json = html('textarea', { class: 'json', readonly: true, 'aria-label': 'The report as JSON', rows: 6 })
  readonly #counters = new Map<string, HTMLElement>()

  constructor(recorder: Recorder, close: HTMLElement | undefined) {
    this.#recorder = recorder
    const counted = Object.entries(counters).map(([key, label]) => {
      const value = html('dd', { 'data-testid': `devtools-counter-${key}` }, '0')
      this.#counters.set(key, value)
      return html('div', { 'data-counter': key }, html('dt', {}, label), value)
    })
    const title = 'Breaks the connection, as a network does'
    const actions = [
      button({ title, 'data-testid': 'devtools-cut' }, 'Cut', () => this.#cut()),
      button({ title: 'Goes on in the next mode', 'data-testid': 'devtools-fall-back' }, 'Fall back', () =>
        this.#fallBack(),
      ),
      button({ 'data-testid': 'devtools-copy' }, 'Copy as JSON', () => void this.#copy()),
    ]
    this.#json.hidden = true
    this.node = html(
      'div',
      { class: 'head' },
      html('div', { class: 'pills' }, html('h2', {}, 'PushStream'), this.#state, this.#mode, this.#retry),
      html('dl', { class: 'counters' }, ...counted),
      html('div', { class: 'actions' }, ...actions, ...(close ? [close] : [])),
      this.#sentence,
      this.#result,
      this.#json,
    )
  }

  draw(now: number): void {
    const { client } = this.#recorder
    const { state, mode, attempt, retryAt } = client?.status ?? none
    setText(this.#state, client ? state : 'no client')
    this.#state.dataset.state = state
    setText(this.#mode, mode ?? 'no mode')
    this.#mode.dataset.mode = mode ?? ''
    // Apart from the sentence, so that the seconds are not read out.
    const left = retryAt === undefined ? undefined : Math.max(0, Math.ceil((retryAt - now) / 1000))
    setText(this.#retry, left === undefined ? '' : `next try in ${left} s`)
    setText(this.#sentence, sentence(state, mode, attempt))
    for (const [key, value] of Object.entries(client?.stats ?? {})) {
      const node = this.#counters.get(key) as HTMLElement
      setText(node, value.toLocaleString('en'))
      node.dataset.value = String(value)
    }
  }

  #say(text: string): void {
    this.#json.hidden = true
    setText(this.#result, text)
  }

  #cut(): void {
    if (this.#recorder.client?.status.state !== 'open') return this.#say('There is no connection to cut.')
    this.#recorder.inspection?.cut()
    this.#say('The connection is cut.')
  }

  #fallBack(): void {
    const done = this.#recorder.inspection?.fallBack() ?? false
    this.#say(done ? 'The next mode takes over.' : 'There is no connection, or no other mode.')
  }

  async #copy(): Promise<void> {
    const report = reportOf(this.#recorder, Date.now())
    try {
      await navigator.clipboard.writeText(report)
      this.#say('Copied.')
    } catch {
      // Without the permission it is selected, so that the keyboard can copy it.
      this.#say('Selected: copy it with the keyboard.')
      this.#json.hidden = false
      this.#json.value = report
      this.#json.select()
    }
  }
}

const none = { state: 'closed', mode: undefined, attempt: 0, retryAt: undefined } as const

function sentence(state: Status['state'], mode: Status['mode'], attempt: number): string {
  if (state === 'open') return `Open over ${mode}.`
  if (state === 'waiting') return `Waiting to try again${attempt > 1 ? ` after ${attempt} failures` : ''}.`
  return state === 'connecting' ? 'Connecting.' : 'Closed.'
}
