import { acceptDelay, type Connection } from './connection.js'
import type { Parts } from './parts.js'
import { failureOf } from './reports.js'
import { attemptDelay } from './state.js'

/** So many round trips later, a request that is still not answered hangs. */
const roundTrips = 3

/** What went before an attempt: no connection, one that it replaces, one that was lost, or attempts that failed. */
export type Before = 'nothing' | 'success' | 'loss' | 'failure'

/**
 * Accepts a connection that can't show by itself that it is well: an answer next to it shows it, else time has to. A
 * request that hangs looks the same on a good network and on none, and so does a stream before its first message.
 */
export async function prove(
  connection: Connection,
  before: Before,
  { settings, poller, intake, health }: Parts,
): Promise<void> {
  const channels = health.covered(connection)
  const { environment, protocol, timeout, transports } = settings
  const { probe, lastMessage } = protocol.capabilities
  const { mode, newcomers } = connection
  // Other modes, which show more, may need longer. After a failure, or where one worked before, there is no hurry.
  const unproven = before === 'nothing' && transports.length === 1 ? attemptDelay : timeout / 5
  const asked = environment.now()
  const verified = poller.immediate && (await poller.verify(channels, timeout)) === 'answered'
  if (verified && newcomers.size === 0) return connection.accept()
  if (!verified && poller.immediate) return
  const foreign = probe === 'HEAD'
  // What broke the connection before may have swallowed this one's request, too.
  const doubtful = before === 'failure' || (before === 'loss' && !foreign)
  const asks = probe !== undefined && (newcomers.size > 0 || !lastMessage || doubtful)
  const known = verified || (asks && (await poller.reachable(mode, channels, foreign ? unproven : timeout)))
  if (known === undefined && foreign && !connection.closed) {
    const hidden = failureOf(`${mode} refused`, { kind: 'refused', asked: connection.asked }, {}, environment.location)
    if (hidden.symptom === 'cors' || hidden.symptom === 'credentials') {
      // The page sees no answer: none that would show that the poll is well, either.
      connection.patient = true
      return intake.failed(hidden)
    }
  }
  // Its own answer, a rejection or stored messages, may take longer than the one next to it.
  const waited = environment.now() - asked
  connection.acceptIn(known ? Math.max(acceptDelay, roundTrips * waited) : unproven - waited)
}
