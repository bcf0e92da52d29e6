import { byId, html, scrollable, setText, svg, timeOfDay } from './dom.js'
import type { History, Mark, MarkKind, Span } from './history.js'

const height = 116
const band = { top: 30, height: 30 }
const bars = { top: 64, height: 26 }
const listed = 60

const words: Record<MarkKind, string> = {
  opened: 'opened',
  lost: 'lost',
  resumed: 'resumed',
  switched: 'switched',
  gap: 'gap',
}

/** Each mark has its own shape, so that colour is not needed to tell them apart. Drawn around (0, 0). */
const shapes: Record<MarkKind, string> = {
  opened: 'M-6 5 L0 -6 L6 5 Z',
  resumed: 'M-6 5 L0 -6 L6 5 Z',
  lost: 'M-6 -5 L0 6 L6 -5 Z',
  switched: 'M-6 -4 H6 M-6 4 H6 M2 -8 L6 -4 L2 0 M-2 0 L-6 4 L-2 8',
  gap: 'M0 -7 L7 0 L0 7 L-7 0 Z',
}

/** The client's state over time: a band coloured by mode, marks above it, messages per second below. */
export class TimelineView {
  readonly #history: History
  readonly #chart = byId('timeline', SVGSVGElement)
  readonly #drawing = byId('timeline-drawing', SVGGElement)
  readonly #span = byId('timeline-span', HTMLSelectElement)
  readonly #rows = byId('timeline-rows', HTMLTableSectionElement)
  #version = -1

  constructor(history: History) {
    this.#history = history
    scrollable(byId('timeline-list', HTMLElement))
    this.#span.addEventListener('change', () => this.tick())
    new ResizeObserver(() => this.tick()).observe(this.#chart)
  }

  tick(): void {
    const now = Date.now()
    this.#history.trim(now)
    if (document.visibilityState === 'visible') this.#draw(now)
    if (this.#version !== this.#history.version) {
      this.#version = this.#history.version
      this.#list()
    }
  }

  #draw(now: number): void {
    const width = this.#chart.clientWidth
    if (width === 0) return
    const span = Number(this.#span.value) * 1000
    const start = now - span
    const x = (at: number) => ((Math.max(at, start) - start) / span) * width
    this.#chart.setAttribute('viewBox', `0 0 ${width} ${height}`)
    const { spans, marks, rate } = this.#history
    const parts: SVGElement[] = [hatch()]
    spans.forEach((one, i) => {
      const until = spans[i + 1]?.from ?? now
      if (until > start) parts.push(...bandOf(one, x(one.from), x(until)))
    })
    parts.push(...messageBars(rate, start, now, x))
    for (const mark of marks) if (mark.at >= start) parts.push(markOf(mark, x(mark.at)))
    parts.push(...axis(span, width))
    this.#drawing.replaceChildren(...parts)
  }

  /** The same in words. */
  #list(): void {
    const { marks, spans } = this.#history
    const rows = marks
      .slice(-listed)
      .reverse()
      .map(({ at, kind, text }) =>
        html(
          'tr',
          { 'data-kind': kind },
          html('td', {}, timeOfDay(at)),
          html('td', {}, words[kind]),
          html('td', {}, text),
        ),
      )
    this.#rows.replaceChildren(...rows)
    const { state, mode, from } = spans.at(-1) as Span
    setText(
      byId('timeline-title', SVGTitleElement),
      `${state}${mode === undefined ? '' : ` over ${mode}`} since ${timeOfDay(from)}`,
    )
  }
}

function bandOf({ state, mode }: Span, from: number, to: number): SVGElement[] {
  if (state === 'closed') return []
  const name = mode ?? state
  const shape = { x: from, y: band.top, width: Math.max(1, to - from), height: band.height }
  const parts: SVGElement[] = [svg('rect', { ...shape, class: 'band', 'data-mode': name })]
  if (state !== 'open') parts.push(svg('rect', { ...shape, class: 'hatched', fill: 'url(#hatch)' }))
  if (to - from > name.length * 7 + 12) {
    const at = { x: from + 7, y: band.top + band.height / 2, class: 'band-label', 'data-mode': name }
    parts.push(svg('text', at, name))
  }
  return parts
}

function markOf({ at, kind, text }: Mark, x: number): SVGElement {
  return svg(
    'g',
    { class: 'mark', 'data-kind': kind, transform: `translate(${x.toFixed(1)} 0)` },
    svg('title', {}, `${timeOfDay(at)} ${text}`),
    svg('line', { y1: 20, y2: band.top + band.height }),
    svg('path', { d: shapes[kind], transform: 'translate(0 13)' }),
  )
}

function messageBars(
  rate: ReadonlyMap<number, number>,
  start: number,
  now: number,
  x: (at: number) => number,
): SVGElement[] {
  const inside = [...rate].filter(([second]) => (second + 1) * 1000 > start)
  const top = Math.max(5, ...inside.map(([, count]) => count))
  return inside.map(([second, count]) => {
    const left = x(second * 1000)
    const tall = Math.max(2, (count / top) * bars.height)
    const width = Math.max(1.5, x(Math.min(now, (second + 1) * 1000)) - left - 0.5)
    return svg('rect', { class: 'bar', x: left, y: bars.top + bars.height - tall, width, height: tall })
  })
}

function axis(span: number, width: number): SVGElement[] {
  const base = bars.top + bars.height
  const parts: SVGElement[] = [svg('line', { class: 'axis', x1: 0, x2: width, y1: base + 0.5, y2: base + 0.5 })]
  for (let i = 0; i <= 4; i++) {
    const ago = (span * (4 - i)) / 4
    const label = ago === 0 ? 'now' : ago >= 120_000 ? `−${+(ago / 60_000).toFixed(1)} min` : `−${ago / 1000} s`
    const anchor = i === 0 ? 'start' : i === 4 ? 'end' : 'middle'
    parts.push(svg('text', { class: 'tick', x: (width * i) / 4, y: base + 16, 'text-anchor': anchor }, label))
  }
  return parts
}

function hatch(): SVGElement {
  const attributes = { id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse' }
  return svg(
    'pattern',
    { ...attributes, patternTransform: 'rotate(45)' },
    svg('line', { class: 'hatch-line', x1: 0, y1: 0, x2: 0, y2: 6 }),
  )
}
