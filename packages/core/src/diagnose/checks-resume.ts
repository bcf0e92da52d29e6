import type { ModeName } from '../types.js'
import { type Check, finding, list, needsStored, of, working } from './check.js'
import type { Means, Seen } from './types.js'

export const stored: Check = {
  name: 'stored messages',
  needs: needsStored,
  run(seen) {
    const counts = working(seen).flatMap(({ mode }) => {
      const probes = seen.probes[mode]
      return probes ? [{ mode, ...probes }] : []
    })
    const most = Math.max(0, ...counts.map((one) => one.stored))
    const none = most > 0 ? [] : counts
    const few = seen.published !== undefined && most > 0 && most < seen.known
    return {
      findings: [
        ...of('unstored', none, 'none of the messages that came live came again'),
        ...(few ? [finding('few', `${most} of ${seen.known} messages came again`)] : []),
      ],
      detail: `${most} messages came again`,
    }
  },
}

const repeating = (seen: Seen) =>
  working(seen).flatMap(({ mode }) => {
    const probes = seen.probes[mode]
    return probes && probes.stored > 0 ? [{ mode, ...probes }] : []
  })
const needsRepeats = (seen: Seen) =>
  needsStored(seen) ?? (repeating(seen).length === 0 ? 'nothing that is stored came again' : undefined)
const meansOf = (all: readonly { mode: ModeName; means: Means | undefined }[]) =>
  all
    .filter(({ means }) => means !== undefined)
    .map(({ mode, means }) => `${mode} by ${means === 'both' ? 'argument and header' : means}`)
    .join(', ')

export const position: Check = {
  name: 'resume by time and tag',
  needs: (seen) =>
    needsRepeats(seen) ??
    (repeating(seen).every(({ time, repeats }) => time === undefined && repeats === undefined)
      ? 'messages have no time'
      : undefined),
  run(seen) {
    const all = repeating(seen)
    const noTime = all.filter(({ time }) => time === 'none')
    const noTag = all.filter(({ time, tag }) => time !== 'none' && tag === 'none')
    const deaf = all.filter(({ repeats }) => repeats)
    return {
      findings: [
        ...of('time', noTime, 'nothing came after a time before the newest message'),
        ...of('time', deaf, 'what was known came again, wherever it was asked to go on'),
        ...of('tag', noTag, 'nothing came after tag 0 of the second of the newest message'),
      ],
      detail:
        all[0]?.repeats === undefined
          ? meansOf(all.map(({ mode, time, tag }) => ({ mode, means: tag ?? time })))
          : `${list(all)} go on after a message`,
    }
  },
}

export const eventId: Check = {
  name: 'resume by event id',
  needs: (seen) =>
    needsRepeats(seen) ??
    (repeating(seen).every((one) => one.eventId === undefined) ? 'no stored message shows an event id' : undefined),
  run(seen) {
    const all = repeating(seen).filter((one) => one.eventId !== undefined)
    const none = all.filter((one) => one.eventId === 'none')
    return {
      findings: of('eventid', none, 'nothing came after the event id of a stored message'),
      detail: meansOf(all.map(({ mode, eventId: means }) => ({ mode, means }))),
    }
  },
}

export const several: Check = {
  name: 'several channels',
  needs: (seen) =>
    needsRepeats(seen) ??
    (repeating(seen).every(({ copies }) => copies === undefined)
      ? 'each channel has its own connection, or messages have no id'
      : undefined),
  run(seen) {
    const one = repeating(seen).filter(({ copies = 2 }) => copies < 2)
    return {
      findings: of('names', one, 'of two names in one address, only one was read'),
      detail: 'one connection takes several',
    }
  },
}
