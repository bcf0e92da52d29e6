import { choice, html, setText, svg, timeOfDay } from '../dom.js'
import type { History, Mark, MarkKind, Span } from '../model/history.js'
import type { Recorder } from '../model/recorder.js'
import { EventsView } from './events.js'
import type { View } from './view.js'

const height = 116
const band = { top: 30, height: 30 }
const bars = { top: 64, height: 26 }

/** Each mark has its own shape, so that colour is not needed to tell them apart. Drawn around (0, 0). */
const shapes: Record<MarkKind, string> = {
  opened: 'M-6 5 L0 -6 L6 5 Z',
  resumed: 'M-6 5 L0 -6 L6 5 Z',
  lost: 'M-6 -5 L0 6 L6 -5 Z',
  switched: 'M-6 -4 H6 M-6 4 H6 M2 -8 L6 -4 L2 0 M-2 0 L-6 4 L-2 8',
  gap: 'M0 -7 L7 0 L0 7 L-7 0 Z',
}

/** The client's state over time: a band coloured by mode, marks above it, messages per second below. Then in words. */
export class TimelineView implements View {
  readonly title = 'Timeline'
  readonly node: HTMLElement
  readonly #history: History
  readonly #events: EventsView
  readonly #words = svg('title', { id: 'timeline-title' }, 'Nothing yet')
  readonly #drawing = svg('g')
  readonly #chart = svg(
    'svg',
    { class: 'chart timeline', role: 'img', 'aria-labelledby': 'timeline-title', 'data-testid': 'devtools-timeline' },
    this.#words,
    this.#drawing,
  )
  readonly #span = choice({ 'aria-label': 'Length of the timeline' }, [
    ['60', '1 minute'],
    ['120', '2 minutes'],
    ['300', '5 minutes'],
    ['900', '15 minutes'],
  ])

  constructor(recorder: Recorder) {
    this.#history = recorder.history
    this.#events = new EventsView(recorder)
    this.#span.value = '120'
    this.#span.addEventListener('change', () => this.draw(Date.now()))
    const tools = html('div', { class: 'tools' }, this.#span, legend())
    this.node = html('div', {}, tools, this.#chart, ...this.#events.nodes)
  }

  draw(now: number): void {
    this.#events.draw()
    this.#history.trim(now)
    const { spans, marks, rate } = this.#history
    const { state, mode, from } = spans.at(-1) as Span
    setText(this.#words, `${state}${mode === undefined ? '' : ` over ${mode}`} since ${timeOfDay(from)}`)
    const width = this.#chart.clientWidth
    if (width === 0) return
    const span = Number(this.#span.value) * 1000
    const start = now - span
    const x = (at: number) => ((Math.max(at, start) - start) / span) * width
    this.#chart.setAttribute('viewBox', `0 0 ${width} ${height}`)
    const parts: SVGElement[] = [hatch()]
    spans.forEach((one, i) => {
      const until = spans[i + 1]?.from ?? now
      if (until > start) parts.push(...bandOf(one, x(one.from), x(until)))
    })
    parts.push(...messageBars(rate, start, now, x))
    for (const mark of marks.items) if (mark.at >= start) parts.push(markOf(mark, x(mark.at)))
    parts.push(...axis(span, width))
    this.#drawing.replaceChildren(...parts)
  }
}

function legend(): HTMLElement {
  const swatch = (mode: string, label = mode) =>
    html('li', {}, html('i', { class: 'swatch', 'data-mode': mode }), label)
  const glyph = (kind: MarkKind, sign: string, label: string = kind) =>
    html('li', {}, html('i', { class: 'glyph', 'data-kind': kind }, sign), label)
  return html(
    'ul',
    { class: 'legend', 'aria-hidden': 'true' },
    ...['websocket', 'eventsource', 'stream', 'longpolling'].map((mode) => swatch(mode)),
    swatch('waiting', 'not open'),
    glyph('opened', '▲', 'opened, resumed'),
    glyph('lost', '▼'),
    glyph('switched', '⇄'),
    glyph('gap', '◆'),
    swatch('bar', 'messages a second'),
  )
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
    svg('title', {}, `${timeOfDay(at)} ${kind}: ${text}`),
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
