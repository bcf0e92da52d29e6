import type { InspectedRequest } from '@pushstream/core/inspect'
import { duration, html, row, table, timeOfDay } from '../dom.js'
import type { Recorder } from '../model/recorder.js'
import type { View } from './view.js'

const shown = 100

/** The requests of the client, the newest first. */
export class RequestsView implements View {
  readonly title = 'Requests'
  readonly node: HTMLElement
  readonly #recorder: Recorder
  readonly #table = table('requests', 'Requests', ['Time', 'For', 'Address', 'Answer', 'After'])
  readonly #none = html('p', { class: 'none' }, 'Nothing yet.')
  #drawn = ''

  constructor(recorder: Recorder) {
    this.#recorder = recorder
    this.#table.box.append(this.#none)
    const hint =
      'A check asks what a connection should have brought. The values of the query are left out: they may be secret.'
    this.node = html('div', {}, html('p', { class: 'hint' }, hint), this.#table.box)
  }

  draw(): void {
    const list = this.#recorder.requests.items.slice(-shown).reverse()
    // The end of a connection is not reported: it shows by its state.
    const drawn = `${this.#recorder.requested} ${list.map(({ state }) => state)}`
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    this.#table.body.replaceChildren(
      ...list.map((request) =>
        row(
          { 'data-kind': request.kind, 'data-state': request.state },
          {
            time: timeOfDay(request.at),
            for: request.kind,
            url: pathOf(request.url),
            answer: answerOf(request),
            took: request.took === undefined ? '' : duration(request.took),
          },
        ),
      ),
    )
    this.#none.hidden = list.length > 0
  }
}

/** An address on the page's own origin without that. */
function pathOf(url: string): string {
  const own = url.replace(/^ws/, 'http')
  return own.startsWith(`${location.origin}/`) ? own.slice(location.origin.length) : url
}

const answerOf = ({ state, status, error }: InspectedRequest): string =>
  [state === 'answered' ? undefined : state, status, error].filter((part) => part !== undefined).join(' ')
