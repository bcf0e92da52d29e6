import type { Recorder } from './model/recorder.js'

/** Everything that was recorded, as JSON to paste into an issue. Texts of messages are in it, values of queries are not. */
export function reportOf(recorder: Recorder, now: number): string {
  const { client, entries, history, inspection, lateness, requests, steps } = recorder
  const { error, ...status } = client?.status ?? { state: 'closed' as const, error: undefined }
  const timed = <T extends { at: number }>(list: readonly T[]) =>
    list.map(({ at, ...rest }) => ({ at: new Date(at).toISOString(), ...rest }))
  const report = {
    made: new Date(now).toISOString(),
    userAgent: navigator.userAgent,
    status: { ...status, error: error?.message },
    stats: client?.stats,
    channels: inspection?.channels ?? [],
    lateness: lateness.figures,
    events: timed(history.marks.items),
    log: timed(steps.items),
    requests: timed(requests.items),
    messages: timed(entries.items),
  }
  return JSON.stringify(report, null, 2)
}
