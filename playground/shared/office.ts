import type { Gap, Message, PushStream, Status } from '@pushstream/core'

/** Something the user is told. */
export interface Notification {
  readonly type: 'notification'
  readonly id: string
  readonly text: string
}

/** The back end's answer to something the user asked for. */
export interface Answer {
  readonly type: 'answer'
  readonly text: string
}

/** Who runs what: published when a job begins and when it is done. */
export interface Job {
  readonly type: 'job'
  readonly id: string
  readonly state: 'running' | 'done'
  readonly by: string
}

/** How far a job is. */
export interface Progress {
  readonly type: 'progress'
  readonly done: number
  readonly of: number
}

/** What comes on which channel. */
export type Office = {
  'user-42': { notification: Notification; answer: Answer }
  jobs: { job: Job }
} & { [job: `job-${string}`]: { progress: Progress } }

// Channels, types and data of every hook and composable are checked against this.
declare module '@pushstream/core' {
  interface Register {
    client: PushStream<Office>
  }
}

/** The channel of who is logged in. */
export const mine = 'user-42'
/** A job's channel. */
export const channelOf = (id: string) => `job-${id}` as const

/** How many stored messages a page begins with, and how many notifications it lists. */
export const kept = 100

/** Counts notifications, for the badge. */
export const countNotifications = (count: number, { type }: { type: string }) =>
  type === 'notification' ? count + 1 : count

/** The jobs by id, as the messages so far tell. */
export type Jobs = ReadonlyMap<string, Job>

export const noJobs: Jobs = new Map()

/** What a message makes of the jobs: always another map, so that frameworks see it. */
export const withJob = (jobs: Jobs, job: Job): Jobs => new Map(jobs).set(job.id, job)

/** Those that run, then the latest that are done; newest first. */
export function listed(jobs: Jobs): { running: readonly Job[]; done: readonly Job[] } {
  const all = [...jobs.values()].reverse()
  return {
    running: all.filter(({ state }) => state === 'running'),
    done: all.filter(({ state }) => state === 'done').slice(0, 5),
  }
}

/** Published since this page was opened: what it is told anew after a reload must not pop up again. */
export const isFresh = ({ time }: Message) => time === undefined || time.getTime() >= opened

/** To the second, as the time of a message is. */
const opened = Math.floor(performance.timeOrigin / 1000) * 1000

/** What tells a message from all others, with ids or without. */
export const keyOf = ({ id, time, tag, text }: Message) => [id, time?.getTime(), tag, text].join(' ')

/** How the connection is, for people. */
export const told = ({ state }: Status): string =>
  ({ open: 'Live', connecting: 'Connecting…', waiting: 'Connection lost', closed: 'Not connected' })[state]

/** When it is tried again, for people. */
export const nextTry = ({ retryAt }: Status, now: number): string =>
  retryAt === undefined ? '' : `next try in ${Math.max(0, Math.ceil((retryAt - now) / 1000))} s`

/** What is lost, for people. */
export function lost({ channel, first, last, reason }: Gap): string {
  const which =
    typeof first !== 'number' || typeof last !== 'number'
      ? 'Something may have been missed'
      : first === last
        ? `Message ${first} was missed`
        : `Messages ${first} to ${last} were missed`
  const why = reason === 'restart' ? 'the server was restarted' : 'the server does not store them any more'
  return `${which} on ${channel}: ${why}. What came since is complete.`
}
