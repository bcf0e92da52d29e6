import type { Status } from './events.js'
import type { Environment, Guarantees } from './types.js'

const compared: readonly (keyof Status)[] = ['state', 'mode', 'attempt', 'retryAt', 'error', 'resume', 'gaps']

/** The next snapshot. It is the one before if nothing has changed. */
export function nextStatus(
  before: Status | undefined,
  now: Omit<Status, 'since' | 'resume' | 'gaps'>,
  { environment, protocol }: { environment: Environment; protocol: { guarantees: Guarantees } },
): Status {
  const { resume, gaps } = protocol.guarantees
  const goesOn = before?.state === now.state && before.mode === now.mode
  const status = { ...now, resume, gaps, since: goesOn ? before.since : environment.now() }
  return before && compared.every((key) => before[key] === status[key]) ? before : status
}
