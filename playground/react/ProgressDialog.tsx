import { usePushChannel } from '@pushstream/react'
import { useEffect, useRef } from 'react'
import { channelOf } from '../shared/office.js'

/** Follows one job, and is subscribed to it only while it is open. */
export function ProgressDialog({ job, onClose }: { job: string | null; onClose: () => void }) {
  const { data: progress } = usePushChannel(job !== null && channelOf(job), { backtrack: 1 })
  const dialog = useRef<HTMLDialogElement>(null)
  const finished = progress !== undefined && progress.done >= progress.of

  useEffect(() => {
    if (job === null) dialog.current?.close()
    else if (!dialog.current?.open) dialog.current?.showModal()
  }, [job])

  useEffect(() => {
    if (!finished) return
    const timer = setTimeout(() => dialog.current?.close(), 1000)
    return () => clearTimeout(timer)
  }, [finished])

  return (
    <dialog ref={dialog} aria-labelledby="progress-heading" data-testid="progress" onClose={onClose}>
      <h2 id="progress-heading">{job}</h2>
      <progress aria-labelledby="progress-heading" value={progress?.done} max={progress?.of} />
      <p className="hint" data-testid="progress-text">
        {progress === undefined ? 'Waiting for news…' : finished ? 'Done.' : `${progress.done} of ${progress.of}`}
      </p>
      <p className="end">
        <button type="button" data-testid="progress-close" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </p>
    </dialog>
  )
}
