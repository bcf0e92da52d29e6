import { usePushChannel } from '@pushstream/react'
import { useState } from 'react'
import { kept, listed, noJobs, withJob } from '../shared/office.js'
import { Notice } from './Notice.js'
import { ProgressDialog } from './ProgressDialog.js'

/** Who runs what. */
export function JobsView() {
  const { data: jobs, gap, error } = usePushChannel('jobs', { backtrack: kept, initial: noJobs, reduce: withJob })
  const [followed, setFollowed] = useState<string | null>(null)
  const { running, done } = listed(jobs)
  return (
    <>
      <div className="head">
        <h2>Jobs</h2>
        <p className="hint" role="status" data-testid="running">
          {running.length} running
        </p>
      </div>
      <Notice gap={gap} error={error} />
      {jobs.size === 0 && <p className="none">Nobody runs anything. Press “Start a job”.</p>}
      <ul className="list" data-testid="jobs">
        {running.map(({ id, by }) => (
          <li key={id} data-state="running">
            <span className="text">
              <b>{by}</b> runs {id}
            </span>
            <button type="button" aria-label={`Show the progress of ${id}`} onClick={() => setFollowed(id)}>
              Show progress
            </button>
          </li>
        ))}
        {done.map(({ id, by }) => (
          <li key={id} data-state="done">
            <span className="text">
              <b>{by}</b> ran {id}
            </span>
            <span className="pill">done</span>
          </li>
        ))}
      </ul>
      <ProgressDialog job={followed} onClose={() => setFollowed(null)} />
    </>
  )
}
