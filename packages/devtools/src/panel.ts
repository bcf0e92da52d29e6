import { button, html, setText } from './dom.js'
import type { Recorder } from './model/recorder.js'
import { ChannelsView } from './views/channels.js'
import { HeadView } from './views/head.js'
import { LatenessView } from './views/lateness.js'
import { LogView } from './views/log.js'
import { RequestsView } from './views/requests.js'
import { Stack, Tabs } from './views/tabs.js'
import { TimelineView } from './views/timeline.js'

/** How often what is drawn as a whole is drawn, in ms: at most, and for those who want less motion. */
const rhythm = 250
const calm = 1000

/**
 * What the devtools show: a button and a panel with tabs, or everything in the page (`inline`). It draws once a frame at
 * most, and only while it can be seen.
 */
export class Panel {
  readonly nodes: readonly HTMLElement[]
  readonly #recorder: Recorder
  readonly #inline: boolean
  readonly #opened: (open: boolean) => void
  readonly #head: HeadView
  readonly #log: LogView
  readonly #views: Tabs | Stack
  readonly #panel: HTMLElement
  readonly #launcher: HTMLButtonElement
  readonly #state = html('span')
  readonly #lost = html('span', { class: 'lost' })
  #open: boolean
  #due = true
  #frame: number | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  #unwatch: (() => void) | undefined

  constructor(recorder: Recorder, inline: boolean, open: boolean, opened: (open: boolean) => void) {
    this.#recorder = recorder
    this.#inline = inline
    this.#opened = opened
    this.#open = open
    const label = { class: 'icon', 'aria-label': 'Close the devtools', 'data-testid': 'devtools-close' }
    this.#head = new HeadView(recorder, inline ? undefined : button(label, '×', () => this.#toggle(false)))
    this.#log = new LogView(recorder)
    const timeline = new TimelineView(recorder)
    const others = [new ChannelsView(recorder), new RequestsView(recorder), new LatenessView(recorder.lateness)]
    this.#views = inline
      ? new Stack([timeline, this.#log, ...others])
      : new Tabs([this.#log, timeline, ...others], () => this.#draw(true))
    this.#panel = html(
      'section',
      { class: inline ? 'panel inline' : 'panel docked', 'aria-label': 'PushStream devtools', part: 'panel' },
      this.#head.node,
      ...this.#views.nodes,
    )
    this.#panel.addEventListener('keydown', (event) => this.#key(event))
    this.#launcher = button({ class: 'launcher', part: 'launcher', 'data-testid': 'devtools-open' }, '', () =>
      this.#toggle(true),
    )
    this.#launcher.append(html('b', {}, 'PushStream'), this.#state, this.#lost)
    this.nodes = inline ? [this.#panel] : [this.#launcher, this.#panel]
    this.#show()
  }

  get open(): boolean {
    return this.#open
  }

  set open(open: boolean) {
    if (this.#open === open) return
    this.#open = open
    this.#show()
    this.#watch()
  }

  /** Something has changed: it is drawn with the next frame. */
  changed(): void {
    if (this.#unwatch === undefined) return
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined
      this.#draw()
    })
  }

  /** It is in a document. */
  start(): void {
    const visible = () => this.#watch()
    const resized = new ResizeObserver(() => this.#refresh())
    document.addEventListener('visibilitychange', visible)
    resized.observe(this.#panel)
    this.#unwatch = () => {
      document.removeEventListener('visibilitychange', visible)
      resized.disconnect()
    }
    this.#watch()
  }

  /** It leaves nothing behind. */
  stop(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
    clearInterval(this.#timer)
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame)
    this.#timer = this.#frame = undefined
  }

  get #visible(): boolean {
    return (this.#open || this.#inline) && document.visibilityState !== 'hidden'
  }

  /** Ticks while it can be seen. */
  #watch(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#unwatch === undefined) return
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    if (this.#visible) this.#timer = setInterval(() => this.#refresh(), still ? calm : rhythm)
    this.#refresh()
  }

  /** Also what is drawn as a whole. */
  #refresh(): void {
    this.#due = true
    this.changed()
  }

  /** `whole`: what is drawn as a whole as well. */
  #draw(whole = this.#due): void {
    if (!this.#visible) return this.#drawLauncher()
    const now = Date.now()
    this.#head.draw(now)
    for (const view of this.#views.visible) {
      // Only the log adds to what it has drawn. The others are not drawn with every message.
      if (whole || view === this.#log) view.draw(now)
    }
    this.#due = false
  }

  #drawLauncher(): void {
    const { client } = this.#recorder
    const state = client?.status.state ?? 'closed'
    const gaps = client?.stats.gaps ?? 0
    setText(this.#state, client ? state : 'no client')
    this.#launcher.dataset.state = state
    setText(this.#lost, gaps === 0 ? '' : gaps === 1 ? '1 gap' : `${gaps} gaps`)
  }

  #key(event: KeyboardEvent): void {
    const { target } = event
    // A search field is emptied by it first.
    const searching = target instanceof HTMLInputElement && target.value !== '' && target.type === 'search'
    if (event.key !== 'Escape' || this.#inline || searching) return
    event.stopPropagation()
    this.#toggle(false)
  }

  /** As the buttons do it: the focus goes along. */
  #toggle(open: boolean): void {
    this.open = open
    if (open) this.#panel.querySelector<HTMLElement>('[role=tab][tabindex="0"]')?.focus()
    else this.#launcher.focus()
    this.#opened(open)
  }

  #show(): void {
    const open = this.#open || this.#inline
    this.#panel.hidden = !open
    this.#launcher.hidden = open
  }
}
