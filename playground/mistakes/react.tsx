import { usePushChannel, usePushProcessor } from '@pushstream/react'

// Never run: each of these must not compile, because shared/office.ts says what comes on which channel.

export function Mistakes() {
  // @ts-expect-error no such channel
  usePushChannel('user-43x')
  // @ts-expect-error no such type on this channel
  usePushProcessor('user-42', 'anwser', () => {})
  // @ts-expect-error an answer has a text, no value
  usePushProcessor('user-42', 'answer', (answer) => answer.value)
  // @ts-expect-error a job is no notification
  usePushChannel('jobs', { select: (job) => job.text })
  // @ts-expect-error the state is a number
  const { data: count } = usePushChannel('jobs', { initial: 0, reduce: (sum) => `${sum}` })

  const { data: progress } = usePushChannel('job-7')
  // @ts-expect-error there may be none yet
  return progress.done + count
}
