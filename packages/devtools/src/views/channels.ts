import type { Place } from '@pushstream/core/inspect'
import { html, row, table, timeOfDay } from '../dom.js'
import type { Recorder } from '../model/recorder.js'
import type { View } from './view.js'

const columns = ['Channel', 'Last id', 'Position', 'Watermark', 'Waiting', 'Last heard', 'Mode']
const explained =
  'The position is where the last message of a channel stands. Up to its watermark a channel is complete, so from ' +
  'there the client resumes. Messages wait while one that they have overtaken is missing.'

/** How far each channel is known. */
export class ChannelsView implements View {
  readonly title = 'Channels'
  readonly node: HTMLElement
  readonly #recorder: Recorder
  readonly #table = table('channels', 'Channels', columns)
  readonly #none = html('p', { class: 'none' }, 'No channel is subscribed.')
  #drawn = ''

  constructor(recorder: Recorder) {
    this.#recorder = recorder
    this.#table.box.append(this.#none)
    this.node = html('div', {}, html('p', { class: 'hint' }, explained), this.#table.box)
  }

  draw(): void {
    const channels = this.#recorder.inspection?.channels ?? []
    const drawn = JSON.stringify(channels)
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    this.#table.body.replaceChildren(
      ...channels.map(({ name, id, position, watermark, waiting, heardAt, mode }) =>
        row(
          { 'data-channel': name },
          {
            channel: name,
            id: labelled('Last id', id === undefined ? '–' : `#${id}`),
            position: labelled('Position', placed(position)),
            watermark: labelled('Watermark', placed(watermark)),
            waiting: labelled('Waiting', String(waiting)),
            heard: labelled('Last heard', heardAt === undefined ? '–' : timeOfDay(heardAt)),
            mode: mode ?? 'not connected',
          },
        ),
      ),
    )
    this.#none.hidden = channels.length > 0
  }
}

/** A narrow page shows no head of the table. */
const labelled = (label: string, text: string) => [html('span', { class: 'label', 'aria-hidden': 'true' }, label), text]

/** `14:03:59 +2`: the second, and the counter within it. */
function placed(place: Place | undefined): string {
  if (place === undefined) return '–'
  if (typeof place === 'object') return `${timeOfDay(place.time)} +${place.tag}`
  return place === 0 ? 'from the beginning' : String(place)
}
