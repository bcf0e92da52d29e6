import { usePushChannel } from '@pushstream/react'

export function Visitors() {
  const { data: visitors } = usePushChannel('visitors', { backtrack: 1, select: ({ value }) => value })
  return (
    <section aria-labelledby="visitors">
      <h2 id="visitors">Visitors</h2>
      <p className="number">{visitors ?? '–'}</p>
    </section>
  )
}
