import { duration, html, setText, svg } from '../dom.js'
import type { Lateness, Sample } from '../model/lateness.js'
import type { View } from './view.js'

const height = 150
const edge = { left: 46, right: 8, top: 10, bottom: 8 }
const names = { median: 'Median', p95: '95th percentile', worst: 'Worst' } as const

/** How late messages are: a dot for each, and what most of them are below. */
export class LatenessView implements View {
  readonly title = 'Lateness'
  readonly node: HTMLElement
  readonly #lateness: Lateness
  readonly #figures = new Map<string, HTMLElement>()
  readonly #words = svg('title', { id: 'lateness-title' })
  readonly #drawing = svg('g')
  readonly #chart = svg(
    'svg',
    { class: 'chart lateness', role: 'img', 'aria-labelledby': 'lateness-title', 'data-testid': 'devtools-lateness' },
    this.#words,
    this.#drawing,
  )
  #drawn = ''

  constructor(lateness: Lateness) {
    this.#lateness = lateness
    const figures = Object.entries({ ...names, count: 'Messages' }).map(([key, name]) => {
      const value = html('dd', { 'data-testid': `devtools-lateness-${key}` })
      this.#figures.set(key, value)
      return html('div', {}, html('dt', {}, name), value)
    })
    this.node = html(
      'div',
      {},
      html('dl', { class: 'figures' }, ...figures),
      this.#chart,
      html(
        'ul',
        { class: 'legend' },
        ...(
          [
            ['dot-key', 'live'],
            ['dot-key replayed', 'replayed'],
            ['dot-key coarse', 'by the server’s time, to the second'],
            ['line-key median', 'median'],
            ['line-key p95', '95th percentile'],
          ] as const
        ).map(([key, label]) => html('li', {}, html('i', { class: key }), label)),
      ),
    )
  }

  draw(): void {
    const width = this.#chart.clientWidth
    const { samples, figures } = this.#lateness
    const drawn = `${width} ${samples.added}`
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    const { median, p95, worst, count, coarse } = figures
    const told = (ms: number | undefined) => (coarse && ms !== undefined ? `≤ ${duration(ms)}` : duration(ms))
    for (const [key, value] of Object.entries({ median, p95, worst })) {
      setText(this.#figures.get(key) as HTMLElement, told(value))
    }
    setText(this.#figures.get('count') as HTMLElement, String(count))
    setText(
      this.#words,
      median === undefined
        ? 'Lateness: nothing measured yet'
        : `Lateness of ${count} messages: median ${told(median)}, 95th percentile ${told(p95)}`,
    )
    if (width === 0) return
    this.#chart.setAttribute('viewBox', `0 0 ${width} ${height}`)
    this.#drawing.replaceChildren(...plot(samples.items, median, p95, width))
  }
}

function plot(
  samples: readonly Sample[],
  median: number | undefined,
  p95: number | undefined,
  width: number,
): SVGElement[] {
  const top = nice(Math.max(10, ...samples.map(({ ms }) => ms)))
  const inner = { width: width - edge.left - edge.right, height: height - edge.top - edge.bottom }
  // The square root gives the common few milliseconds room next to the rare seconds.
  const y = (ms: number) => edge.top + inner.height * (1 - Math.sqrt(ms / top))
  const step = inner.width / Math.max(60, samples.length)
  const across = (name: string, ms: number) =>
    svg('line', { class: name, x1: edge.left, x2: width - edge.right, y1: y(ms), y2: y(ms) })
  const parts: SVGElement[] = [0, 0.0625, 0.25, 1].flatMap((part) => {
    const ms = top * part
    return [
      across('grid', ms),
      svg('text', { class: 'tick', x: edge.left - 6, y: y(ms) + 4, 'text-anchor': 'end' }, short(ms)),
    ]
  })
  samples.forEach(({ ms, replayed, coarse }, i) => {
    const at = { cx: edge.left + step * (i + 0.5), cy: y(ms), r: replayed ? 2.6 : 2.2 }
    parts.push(svg('circle', { ...at, class: `dot${replayed ? ' replayed' : ''}${coarse ? ' coarse' : ''}` }))
  })
  if (median !== undefined) parts.push(across('quantile median', median))
  if (p95 !== undefined) parts.push(across('quantile p95', p95))
  return parts
}

function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 8].find((factor) => factor * power >= value) ?? 10) * power
}

const short = (ms: number): string => (ms >= 1000 ? `${+(ms / 1000).toFixed(2)} s` : `${+ms.toFixed(1)}`)
