import { usePushChannel } from '@pushstream/react'

export function UserAnswer({ user }: { user: number }) {
  const { data, status, error, gap } = usePushChannel(`user-${user}`, { backtrack: 1 })
  if (error?.code === 'forbidden') return <p role="alert">This is not for you.</p>
  if (gap) return <p role="alert">Something was missed: please reload.</p>
  return (
    <p role="status" aria-busy={status !== 'open'}>
      {data ? data.value : 'No answer yet'}
    </p>
  )
}
