import { button, choice, html, row, table, timeOfDay } from '../dom.js'
import type { Entry, Recorder } from '../model/recorder.js'
import type { View } from './view.js'

const shown = 200

/** What came, newest first or followed at the bottom. */
export class LogView implements View {
  readonly title = 'Messages'
  readonly node: HTMLElement
  readonly #recorder: Recorder
  readonly #table = table('log', 'Messages', ['Time', 'Channel', 'Id', 'Type', 'Text', 'Mode'])
  readonly #search = html('input', {
    type: 'search',
    placeholder: 'Search',
    'aria-label': 'Search in messages',
    autocomplete: 'off',
    spellcheck: 'false',
    'data-testid': 'devtools-log-search',
  })
  readonly #channel = choice({ 'aria-label': 'Show the channel', 'data-testid': 'devtools-log-filter' }, [
    ['', 'All channels'],
  ])
  readonly #kind = choice({ 'aria-label': 'Show the kind', 'data-testid': 'devtools-log-kind' }, [
    ['', 'Everything'],
    ['message', 'Messages'],
    ['other', 'Gaps and errors'],
  ])
  readonly #order = choice({ 'aria-label': 'Order', 'data-testid': 'devtools-log-order' }, [
    ['first', 'Newest first'],
    ['last', 'Follow'],
  ])
  readonly #pause: HTMLButtonElement
  readonly #none = html('p', { class: 'none' })
  #drawn = 0
  #offered = ''

  constructor(recorder: Recorder) {
    this.#recorder = recorder
    const repaint = () => this.#repaint()
    for (const filter of [this.#channel, this.#kind, this.#order]) filter.addEventListener('change', repaint)
    this.#search.addEventListener('input', repaint)
    this.#pause = button({ 'aria-pressed': 'false', 'data-testid': 'devtools-log-pause' }, 'Pause', () => {
      this.#pause.setAttribute('aria-pressed', String(!this.#paused))
      this.draw()
    })
    const clear = button({ 'data-testid': 'devtools-log-clear' }, 'Clear', () => {
      recorder.entries.clear()
      this.#repaint()
    })
    this.#table.box.append(this.#none)
    const tools = [this.#search, this.#channel, this.#kind, this.#order, this.#pause, clear]
    this.node = html('div', {}, html('div', { class: 'tools' }, ...tools), this.#table.box)
  }

  /** Adds the rows of what has come since, and no others. */
  draw(): void {
    this.#offer()
    if (this.#paused) return
    const { entries } = this.#recorder
    const fresh = entries.since(this.#drawn).slice(-shown)
    this.#drawn = entries.added
    this.#paint(fresh.filter((entry) => this.#matches(entry)))
  }

  get #paused(): boolean {
    return this.#pause.getAttribute('aria-pressed') === 'true'
  }

  get #following(): boolean {
    return this.#order.value === 'last'
  }

  #matches({ kind, channel, id, type, text }: Entry): boolean {
    const wanted = this.#search.value.trim().toLowerCase()
    return (
      (this.#channel.value === '' || channel === this.#channel.value) &&
      (this.#kind.value === '' || (this.#kind.value === 'message') === (kind === 'message')) &&
      (wanted === '' || `${channel}\n${id}\n${type}\n${text}`.toLowerCase().includes(wanted))
    )
  }

  /** Another choice of what is shown. */
  #repaint(): void {
    const { entries } = this.#recorder
    this.#table.body.replaceChildren()
    this.#drawn = entries.added
    this.#paint(entries.items.filter((entry) => this.#matches(entry)).slice(-shown))
    this.#table.box.scrollTop = this.#following ? this.#table.box.scrollHeight : 0
  }

  #paint(entries: readonly Entry[]): void {
    const { body, box } = this.#table
    const atEnd = this.#following && box.scrollHeight - box.scrollTop - box.clientHeight < 24
    const rows = entries.map(rowOf)
    if (this.#following) body.append(...rows)
    else body.prepend(...rows.reverse())
    while (body.children.length > shown) {
      ;(this.#following ? body.firstElementChild : body.lastElementChild)?.remove()
    }
    if (atEnd && rows.length > 0) box.scrollTop = box.scrollHeight
    this.#none.hidden = body.children.length > 0
    this.#none.textContent =
      this.#recorder.entries.items.length > 0 ? 'Nothing matches.' : 'Nothing yet. Publish something.'
  }

  /** The channels to filter by: those of the client, and the one chosen. */
  #offer(): void {
    const chosen = this.#channel.value
    const names = new Set([...(this.#recorder.client?.channels ?? []), ...(chosen === '' ? [] : [chosen])])
    const offered = JSON.stringify([...names])
    if (offered === this.#offered) return
    this.#offered = offered
    this.#channel.replaceChildren(
      html('option', { value: '' }, 'All channels'),
      ...[...names].map((name) => html('option', { value: name }, name)),
    )
    this.#channel.value = chosen
  }
}

function rowOf({ kind, at, channel, id, type, text, time, mode, replayed }: Entry): HTMLTableRowElement {
  const when = time ?? at
  const stamp = html('time', { datetime: new Date(when).toISOString(), title: `Arrived ${timeOfDay(at)}` })
  stamp.textContent = timeOfDay(when)
  const long = (value: string) => [html('span', { title: value }, value)]
  return row(
    { 'data-kind': kind, 'data-channel': channel || undefined, 'data-id': id },
    {
      time: [stamp],
      channel: channel === '' ? '' : long(channel),
      id: kind === 'message' && id !== '' ? `#${id}` : id,
      type: type === '' ? '' : long(type),
      text,
      mode: replayed ? [mode, ' ', html('span', { class: 'badge' }, 'replayed')] : mode,
    },
  )
}
