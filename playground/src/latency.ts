import { byId, setText, svg } from './dom.js'
import { preciseNow, sentAt } from './publisher.js'
import type { Session } from './session.js'

const most = 300
const height = 150
const edge = { left: 46, right: 8, top: 10, bottom: 8 }

interface Sample {
  readonly ms: number
  readonly replayed: boolean
}

/** How long messages of this page take from publishing to arriving. */
export class LatencyView {
  readonly #chart = byId('latency', SVGSVGElement)
  readonly #drawing = byId('latency-drawing', SVGGElement)
  readonly #samples: Sample[] = []
  readonly #seen = new Set<string>()
  #changed = true

  constructor(session: Session) {
    session.on('message', ({ channel, id, data, replayed }) => {
      const at = sentAt(data)
      if (at === undefined) return
      const ms = Math.max(0, preciseNow() - at)
      // A channel that is added anew with a backtrack brings what was measured already.
      const key = `${channel} ${id} ${at}`
      if (this.#seen.has(key)) return
      this.#seen.add(key)
      if (this.#seen.size > 5000) this.#seen.delete(this.#seen.values().next().value as string)
      this.#samples.push({ ms, replayed })
      if (this.#samples.length > most) this.#samples.shift()
      this.#changed = true
    })
    new ResizeObserver(() => {
      this.#changed = true
      this.tick()
    }).observe(this.#chart)
  }

  tick(): void {
    if (!this.#changed || document.visibilityState !== 'visible') return
    this.#changed = false
    const sorted = this.#samples.map(({ ms }) => ms).sort((a, b) => a - b)
    const median = quantile(sorted, 0.5)
    const p95 = quantile(sorted, 0.95)
    setText(byId('latency-median', HTMLElement), format(median))
    setText(byId('latency-p95', HTMLElement), format(p95))
    setText(byId('latency-worst', HTMLElement), format(sorted.at(-1)))
    setText(byId('latency-count', HTMLElement), String(sorted.length))
    const words =
      median === undefined
        ? 'Latency: nothing measured yet'
        : `Latency of ${sorted.length} messages: median ${format(median)}, 95th percentile ${format(p95)}`
    setText(byId('latency-title', SVGTitleElement), words)
    this.#draw(median, p95)
  }

  #draw(median: number | undefined, p95: number | undefined): void {
    const width = this.#chart.clientWidth
    if (width === 0) return
    this.#chart.setAttribute('viewBox', `0 0 ${width} ${height}`)
    const samples = this.#samples
    const top = nice(Math.max(10, ...samples.map(({ ms }) => ms)))
    const inner = { width: width - edge.left - edge.right, height: height - edge.top - edge.bottom }
    // The square root gives the common few milliseconds room beside the rare seconds.
    const y = (ms: number) => edge.top + inner.height * (1 - Math.sqrt(ms / top))
    const step = inner.width / Math.max(60, samples.length)
    const parts: SVGElement[] = []
    for (const part of [0, 0.0625, 0.25, 1]) {
      const ms = top * part
      const at = y(ms)
      parts.push(svg('line', { class: 'grid', x1: edge.left, x2: width - edge.right, y1: at, y2: at }))
      parts.push(svg('text', { class: 'tick', x: edge.left - 6, y: at + 4, 'text-anchor': 'end' }, short(ms)))
    }
    samples.forEach(({ ms, replayed }, i) => {
      const at = { cx: edge.left + step * (i + 0.5), cy: y(ms), r: replayed ? 2.6 : 2.2 }
      parts.push(svg('circle', { ...at, class: replayed ? 'dot replayed' : 'dot' }))
    })
    const line = (name: string, ms: number | undefined) => {
      if (ms === undefined) return
      parts.push(
        svg('line', { class: `quantile ${name}`, x1: edge.left, x2: width - edge.right, y1: y(ms), y2: y(ms) }),
      )
    }
    line('median', median)
    line('p95', p95)
    this.#drawing.replaceChildren(...parts)
  }
}

/** Of sorted values. */
export function quantile(sorted: readonly number[], part: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)]
}

function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 8].find((factor) => factor * power >= value) ?? 10) * power
}

const format = (ms: number | undefined): string =>
  ms === undefined
    ? '–'
    : ms < 100
      ? `${ms.toFixed(1)} ms`
      : ms < 10_000
        ? `${Math.round(ms)} ms`
        : `${(ms / 1000).toFixed(1)} s`

const short = (ms: number): string => (ms >= 1000 ? `${+(ms / 1000).toFixed(2)} s` : `${+ms.toFixed(1)}`)
