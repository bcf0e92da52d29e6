import { usePushChannel } from '@pushstream/react'

const kept = 60

/** The latest number, and those of the last minute as a line. A number that is missing is only a point less. */
export function Load() {
  const { data, messages } = usePushChannel('load', { backtrack: kept, history: kept })
  const points = messages.map(({ data }, at) => `${at},${(1 - data.value) * 20}`).join(' ')
  return (
    <section aria-labelledby="load">
      <h2 id="load">Load</h2>
      <p className="number">{data ? `${Math.round(data.value * 100)} %` : '–'}</p>
      <svg viewBox={`0 0 ${kept - 1} 20`} preserveAspectRatio="none" aria-hidden="true">
        <polyline points={points} />
      </svg>
    </section>
  )
}
