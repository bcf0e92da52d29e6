import { byId, html, scrollable, tableRoles, timeOfDay } from './dom.js'
import type { Session } from './session.js'

/** How many entries are kept, and how many rows are shown of them. */
const kept = 1000
const shown = 200
const longest = 2000
/** Cells that may be cut off. */
const titled = ['channel', 'type']

/** Something that came, as a row shows it. */
interface Entry {
  readonly kind: 'message' | 'gap' | 'deadletter' | 'deleted' | 'error'
  readonly channel: string | undefined
  readonly id: string
  readonly type: string
  readonly text: string
  readonly time: Date
  readonly mode: string
  readonly replayed: boolean
}

const note = { id: '', mode: '', replayed: false } as const

/** Whatever came, newest first or followed at the bottom. Bounded, and painted at most once a frame. */
export class LogView {
  readonly #entries: Entry[] = []
  readonly #body = byId('log-rows', HTMLTableSectionElement)
  readonly #box = byId('log', HTMLElement)
  readonly #filter = byId('log-filter', HTMLSelectElement)
  readonly #order = byId('log-order', HTMLSelectElement)
  readonly #empty = byId('log-empty', HTMLElement)
  #fresh: Entry[] = []
  #due = false

  constructor(session: Session) {
    scrollable(this.#box)
    tableRoles(byId('log-table', HTMLTableElement))
    session.on('message', ({ channel, id, type, text, time, mode, replayed }) =>
      this.#add({
        kind: 'message',
        channel,
        id: id === undefined ? '' : String(id),
        type: type ?? '',
        text,
        time: time ?? new Date(),
        mode,
        replayed,
      }),
    )
    session.on('gap', ({ channel, first, last, reason }) => {
      const count = last === 'unknown' || first === 'unknown' ? undefined : last - first + 1
      const which = count === undefined ? `from ${first} on` : first === last ? `${first}` : `${first} to ${last}`
      const why = reason === 'restart' ? 'the server lost what it stored and counts anew' : 'no longer stored'
      const text = `${count === undefined ? 'Messages' : count === 1 ? '1 message' : `${count} messages`} missing: ${why}.`
      this.#add({ ...note, kind: 'gap', channel, type: 'gap', id: which, text, time: new Date() })
    })
    session.on('deadletter', ({ channel, raw, reason }) =>
      this.#add({
        ...note,
        kind: 'deadletter',
        channel,
        type: 'deadletter',
        text: `${reason}: ${raw}`,
        time: new Date(),
      }),
    )
    session.on('channeldeleted', ({ channel, text }) =>
      this.#add({ ...note, kind: 'deleted', channel, type: 'deleted', text, time: new Date() }),
    )
    session.on('error', ({ code, channel, message, mode }) =>
      this.#add({ ...note, kind: 'error', channel, type: code, text: message, mode: mode ?? '', time: new Date() }),
    )
    session.on('channels', () => this.#offer(session))
    this.#filter.addEventListener('change', () => this.#repaint())
    this.#order.addEventListener('change', () => this.#repaint())
    byId('log-clear', HTMLButtonElement).addEventListener('click', () => {
      this.#entries.length = 0
      this.#repaint()
    })
    this.#offer(session)
    this.#repaint()
  }

  /** Something went wrong on this page. */
  report({ name, message }: Error): void {
    this.#add({ ...note, kind: 'error', channel: undefined, type: name, text: message, time: new Date() })
  }

  get #following(): boolean {
    return this.#order.value === 'last'
  }

  #add(entry: Entry): void {
    this.#entries.push(entry)
    if (this.#entries.length > kept) this.#entries.splice(0, this.#entries.length - kept)
    if (!this.#matches(entry)) return
    this.#fresh.push(entry)
    if (this.#fresh.length > shown) this.#fresh.shift()
    if (this.#due) return
    this.#due = true
    requestAnimationFrame(() => {
      this.#due = false
      this.#paint(this.#fresh)
      this.#fresh = []
    })
  }

  #matches({ channel }: Entry): boolean {
    return this.#filter.value === '' || channel === this.#filter.value
  }

  #repaint(): void {
    this.#fresh = []
    this.#body.replaceChildren()
    this.#paint(this.#entries.filter((entry) => this.#matches(entry)).slice(-shown))
    this.#box.scrollTop = this.#following ? this.#box.scrollHeight : 0
  }

  #paint(entries: readonly Entry[]): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#box
    const atEnd = scrollHeight - scrollTop - clientHeight < 24
    const rows = entries.map(row)
    if (this.#following) this.#body.append(...rows)
    else this.#body.prepend(...rows.reverse())
    while (this.#body.children.length > shown) {
      ;(this.#following ? this.#body.firstElementChild : this.#body.lastElementChild)?.remove()
    }
    if (this.#following && atEnd) this.#box.scrollTop = this.#box.scrollHeight
    this.#empty.hidden = this.#body.children.length > 0
  }

  /** The channels to filter by: the subscribed ones, and the one chosen. */
  #offer(session: Session): void {
    const chosen = this.#filter.value
    const names = new Set([...session.channels.keys(), ...(chosen === '' ? [] : [chosen])])
    this.#filter.replaceChildren(
      html('option', { value: '' }, 'All channels'),
      ...[...names].map((name) => html('option', { value: name }, name)),
    )
    this.#filter.value = chosen
  }
}

function row({ kind, channel, id, type, text, time, mode, replayed }: Entry): HTMLTableRowElement {
  const cell = (name: string, ...content: (Node | string)[]) =>
    html('td', { class: name, role: 'cell', title: titled.includes(name) ? String(content[0]) : undefined }, ...content)
  const body = text.length > longest ? `${text.slice(0, longest)} … (${text.length} characters)` : text
  return html(
    'tr',
    { role: 'row', 'data-kind': kind, 'data-channel': channel, 'data-id': id },
    cell('time', html('time', { datetime: time.toISOString() }, timeOfDay(time))),
    cell('channel', channel ?? ''),
    cell('id', kind === 'message' && id !== '' ? `#${id}` : id),
    cell('type', type),
    cell('text', body),
    cell('mode', mode, ...(replayed ? [' ', html('span', { class: 'badge' }, 'replayed')] : [])),
  )
}
