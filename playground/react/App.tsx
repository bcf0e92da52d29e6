import type { Options } from '@pushstream/core'
import { PushStreamDevtools } from '@pushstream/devtools/react'
import { PushStreamProvider, usePushChannel, usePushProcessor } from '@pushstream/react'
import { useEffect, useState } from 'react'
import { type Backend, tried } from '../shared/backend.js'
import { countNotifications, isFresh, kept, mine } from '../shared/office.js'
import { JobsView } from './JobsView.js'
import { Notifications } from './Notifications.js'
import { StatusLine } from './StatusLine.js'

export const App = ({ options, backend }: { options: Options; backend: Backend }) => (
  <PushStreamProvider options={options}>
    <Office backend={backend} />
    <PushStreamDevtools />
  </PushStreamProvider>
)

function Office({ backend }: { backend: Backend }) {
  const [view, setView] = useState<'notifications' | 'jobs'>('notifications')
  const [read, setRead] = useState(0)
  const { data: count } = usePushChannel(mine, { backtrack: kept, initial: 0, reduce: countNotifications })
  const unread = count - read
  const tab = (name: typeof view) => ({
    type: 'button' as const,
    'aria-current': view === name ? ('page' as const) : undefined,
    onClick: () => setView(name),
  })

  return (
    <>
      <header className="topbar">
        <h1>
          <a href="../index.html">PushStream</a> <span>React</span>
        </h1>
        <StatusLine />
      </header>
      <main>
        <div className="column controls">
          <Publisher backend={backend} />
        </div>
        <div className="column">
          <section aria-label="The application">
            <nav className="tabs" aria-label="Views">
              <button {...tab('notifications')} data-testid="tab-notifications">
                Notifications
                {unread > 0 && (
                  <span className="count" data-testid="unread">
                    {unread}
                    <span className="hidden"> unread</span>
                  </span>
                )}
              </button>
              <button {...tab('jobs')} data-testid="tab-jobs">
                Jobs
              </button>
            </nav>
            {view === 'notifications' ? <Notifications unread={unread} onRead={() => setRead(count)} /> : <JobsView />}
          </section>
        </div>
      </main>
      <Toast />
    </>
  )
}

/** Buttons that do what the application's back end would do. */
function Publisher({ backend }: { backend: Backend }) {
  const [problem, setProblem] = useState('')
  const press = (act: () => Promise<void>) => async () => setProblem(await tried(act))
  return (
    <section aria-labelledby="backend-heading">
      <h2 id="backend-heading">The back end</h2>
      <p className="hint">These buttons publish, as your server would. Every page that is open gets it.</p>
      <p className="buttons">
        <button type="button" className="primary" data-testid="notify" onClick={press(() => backend.notify())}>
          Notify
        </button>
        <button type="button" data-testid="notify-50" onClick={press(() => backend.notify(50))}>
          Notify 50 times
        </button>
        <button type="button" data-testid="answer" onClick={press(() => backend.answer())}>
          Answer
        </button>
        <button type="button" data-testid="start-job" onClick={press(() => backend.run())}>
          Start a job
        </button>
      </p>
      <p className="problem" role="alert">
        {problem}
      </p>
      <p className="hint">
        The <a href="../client.html">client’s page</a> has buttons that break the line: of this page as well.
      </p>
    </section>
  )
}

/** The latest answer, for a while. */
function Toast() {
  const [text, setText] = useState('')
  usePushProcessor(mine, 'answer', (answer, message) => {
    if (isFresh(message)) setText(answer.text)
  })
  useEffect(() => {
    if (text === '') return
    const timer = setTimeout(() => setText(''), 6000)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <p className="toast" role="status" data-testid="toast">
      {text}
    </p>
  )
}
