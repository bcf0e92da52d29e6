import { usePushStatus } from '@pushstream/react'

export function StatusBadge() {
  const { state, mode } = usePushStatus()
  return (
    <p id="status" role="status" data-state={state}>
      {state === 'open' ? `connected by ${mode}` : 'not connected, trying again'}
    </p>
  )
}
