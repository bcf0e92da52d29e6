import { usePushStatus } from '@pushstream/react'
import { useEffect, useState } from 'react'
import { nextTry, told } from '../shared/office.js'

/** How the connection is: pills for the eye, a sentence for who listens. */
export function StatusLine() {
  const status = usePushStatus()
  const now = useNow(status.retryAt !== undefined)
  return (
    <>
      <p className="pills">
        <span className="pill state" data-testid="state" data-state={status.state} role="status">
          {told(status)}
        </span>
        {status.mode && (
          <span className="pill mode" data-testid="mode" data-mode={status.mode}>
            {status.mode}
          </span>
        )}
        <span className="retry">{nextTry(status, now)}</span>
      </p>
      <p className="trouble" data-testid="trouble">
        {status.state === 'open' ? '' : status.error?.message}
      </p>
    </>
  )
}

/** The time, every half second, for as long as somebody waits. */
function useNow(running: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!running) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(timer)
  }, [running])
  return now
}
