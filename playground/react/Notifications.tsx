import { usePushChannel } from '@pushstream/react'
import { kept, keyOf, mine } from '../shared/office.js'
import { timeOfDay } from '../src/dom.js'
import { Notice } from './Notice.js'

/** The latest notifications, newest first. */
export function Notifications({ unread, onRead }: { unread: number; onRead: () => void }) {
  const { messages, gap, error } = usePushChannel(mine, { backtrack: kept, history: kept })
  const notifications = messages.filter(({ data }) => data.type === 'notification').reverse()
  return (
    <>
      <div className="head">
        <h2>Notifications</h2>
        <button type="button" data-testid="mark-read" disabled={unread === 0} onClick={onRead}>
          Mark all as read
        </button>
      </div>
      <Notice gap={gap} error={error} />
      {notifications.length === 0 && <p className="none">Nothing yet. Press “Notify”, here or in another page.</p>}
      <ol className="list" data-testid="notifications">
        {notifications.map((message, at) => (
          <li key={keyOf(message)} data-unread={at < unread || undefined}>
            <span className="text">{message.data.text}</span>
            <time>{message.time && timeOfDay(message.time)}</time>
          </li>
        ))}
      </ol>
    </>
  )
}
