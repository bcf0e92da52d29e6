import type { Gap, PushStreamError } from '@pushstream/core'
import { useState } from 'react'
import { lost } from '../shared/office.js'

/** What went wrong with a channel: a refusal, or messages that can't be had any more. */
export function Notice({ gap, error }: { gap: Gap | undefined; error: PushStreamError | undefined }) {
  const [seen, setSeen] = useState<Gap>()
  return (
    <div className="notices" role="status">
      {error?.channel !== undefined && (
        <p className="notice bad" data-testid="refused">
          {error.message}
        </p>
      )}
      {gap !== undefined && gap !== seen && (
        <p className="notice" data-testid="gap">
          {lost(gap)}
          <button type="button" onClick={() => setSeen(gap)}>
            Understood
          </button>
        </p>
      )}
    </div>
  )
}
