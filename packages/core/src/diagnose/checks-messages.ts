import { type Check, finding, list, needsPublisher, needsStored, noMode, of, working } from './check.js'
import type { Attempt, Seen } from './types.js'

const taken = (status: number | undefined) => status !== undefined && status >= 200 && status < 300

export const publishing: Check = {
  name: 'publishing',
  needs: (seen) => (seen.published === undefined ? 'needs a publisher' : undefined),
  run({ published = [] }) {
    const refused = published.find(({ status }) => !taken(status))
    const why = refused?.status === undefined ? 'no answer' : `status ${refused.status}`
    return {
      findings: refused ? [finding('publisher', why)] : [],
      detail: `${published.length} texts were taken`,
    }
  },
}

/** The texts that a connection should have brought. */
const due = ({ published = [] }: Seen, { asked, until }: Attempt) =>
  published.filter(({ from, at, status }) => from > asked && at < until && taken(status))

export const delivery: Check = {
  name: 'delivery',
  needs: (seen) =>
    needsPublisher(seen) ??
    (working(seen).every((one) => due(seen, one).length === 0) ? 'nothing was published' : undefined),
  run(seen) {
    const texts = (one: Attempt) => due(seen, one).filter(({ text }) => one.messages.some((came) => came.text === text))
    const expecting = working(seen).filter((one) => due(seen, one).length > 0)
    const nothing = ({ messages, dead }: Attempt) => messages.length === 0 && dead.length === 0
    const deaf = expecting.filter(nothing)
    const ours = ({ messages }: Attempt) =>
      messages.some(({ text }) => seen.published?.some((published) => published.text === text))
    const spoilt = expecting.filter((one) => !nothing(one) && !ours(one))
    const [bad] = spoilt
    const spoiltAs = bad?.dead[0] ?? bad?.messages[0]?.dead ?? `a text came as ${bad?.messages[0]?.text.slice(0, 80)}`
    const swapped = working(seen).filter(({ messages }) =>
      messages.some(({ id, channel }, n) =>
        messages.slice(0, n).some((one) => one.channel === channel && (one.id ?? 0) > (id ?? 0)),
      ),
    )
    const order = swapped.length > 0 ? `; out of order by ${list(swapped)}, which the client mends` : ', in order'
    return {
      findings: [...of('names', deaf, 'no published message came'), ...of('unreadable', spoilt, spoiltAs)],
      detail: `${working(seen)
        .map((one) => `${one.mode} ${texts(one).length} of ${due(seen, one).length}`)
        .join(', ')}${order}`,
    }
  },
}

export const template: Check = {
  name: 'template',
  needs: (seen) =>
    noMode(seen) ??
    (seen.known > 0 && seen.lacks === undefined ? 'this server has none' : seen.lacks ? undefined : needsStored(seen)),
  run: ({ lacks = [] }) => ({
    findings: lacks.length > 0 ? [finding('template', `messages have no ${lacks.join(', ')}`)] : [],
    detail: 'messages have all fields',
  }),
}
