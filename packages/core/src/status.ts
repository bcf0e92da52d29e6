import type { Status } from './events.js'

const compared: readonly (keyof Status)[] = ['state', 'mode', 'attempt', 'retryAt', 'error', 'resume', 'gaps']

/** The next snapshot. It is the one before if nothing has changed. */
export function nextStatus(before: Status | undefined, now: Omit<Status, 'since'>, time: () => number): Status {
  const goesOn = before?.state === now.state && before.mode === now.mode
  const status = { ...now, since: goesOn ? before.since : time() }
  return before && compared.every((key) => before[key] === status[key]) ? before : status
}
