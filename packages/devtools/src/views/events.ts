import { html, row, table, timeOfDay } from '../dom.js'
import type { Mark } from '../model/history.js'
import type { Recorder, Step } from '../model/recorder.js'

const shown = 200

/** The timeline in words: what happened to the connection, and why. */
export class EventsView {
  readonly nodes: readonly HTMLElement[]
  readonly #recorder: Recorder
  readonly #table = table('events', 'Events', ['Time', 'Event', 'Why'])
  readonly #all = html('input', { type: 'checkbox', id: 'every-step', 'data-testid': 'devtools-every-step' })
  readonly #none = html('p', { class: 'none' }, 'Nothing yet.')
  #drawn = ''

  constructor(recorder: Recorder) {
    this.#recorder = recorder
    this.#all.addEventListener('change', () => this.draw())
    this.#table.box.append(this.#none)
    const label = html('label', { for: 'every-step' }, 'Every step of the client')
    this.nodes = [html('p', { class: 'check' }, this.#all, label), this.#table.box]
  }

  draw(): void {
    const { history, steps } = this.#recorder
    const drawn = `${history.marks.added} ${steps.added} ${this.#all.checked}`
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    const marks = history.marks.items
    const some = steps.items.filter((step) => this.#all.checked || (step.kind === 'error' && !saidBy(marks, step)))
    // What is written at the same time: the step that leads to a mark comes first.
    const list: (Mark | Step)[] = [...some, ...marks].sort((a, b) => a.at - b.at).slice(-shown)
    this.#table.body.replaceChildren(
      ...list
        .reverse()
        .map(({ at, kind, text }) => row({ 'data-kind': kind }, { time: timeOfDay(at), event: kind, text })),
    )
    this.#none.hidden = list.length > 0
  }
}

/** Whether the loss that follows an error has the same reason, and tells it as well. */
function saidBy(marks: readonly Mark[], { at, text }: Step): boolean {
  const next = marks.find((mark) => mark.at >= at)
  return next?.kind === 'lost' && text.startsWith(next.text.replace(/: .*/, ''))
}
