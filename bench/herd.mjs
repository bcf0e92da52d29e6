// How a herd of clients comes back after its server restarts. Simulated: the client's own policy, and no sockets.
import { quantile, table } from './figures.mjs'

const clients = 10_000
/** Connections that the server takes in a second. */
const perSecond = 2000

const policies = ['core', 'every 3 s', 'exponential, no jitter']

/** The same figures in every run. `simulate` is that of packages/core/test/support/herd.ts. */
export function herd(simulate) {
  const results = []
  for (const otherwise of ['refused', 'dropped']) {
    for (const downFor of [0, 2000, 10_000, 60_000]) {
      for (const policy of policies) {
        const {
          first: tried,
          back,
          peak,
          densest,
          attempts,
        } = simulate({
          policy,
          clients,
          perSecond,
          downFor,
          otherwise,
          seed: 1,
        })
        const first = [quantile(tried, 0), quantile(tried, 1)]
        // Who is not back when the simulation ends counts as never.
        const all = [...back, ...Array(clients - back.length).fill(Number.POSITIVE_INFINITY)]
        results.push({
          policy,
          downFor,
          otherwise,
          first,
          half: quantile(all, 0.5),
          most: quantile(all, 0.99),
          peak,
          densest,
          attempts: attempts / clients,
        })
      }
      process.stderr.write('.')
    }
  }
  process.stderr.write('\n')
  return results
}

const seconds = (ms) => (Number.isFinite(ms) ? (ms / 1000).toFixed(1) : 'over 240')
const count = (number) => Math.round(number).toLocaleString('en')

export function herdTable(results) {
  return table(
    ['away', 'clients come back', 'half, s', '99 %, s', 'first attempts, ms', 'in 1 s', 'in 10 ms', 'a client'],
    results.map(({ policy, downFor, otherwise, first, half, most, peak, densest, attempts }) => [
      `${downFor / 1000} s, ${otherwise}`,
      policy === 'core' ? '@pushstream/core' : policy,
      seconds(half),
      seconds(most),
      [...new Set(first.map((ms) => ms.toFixed(0)))].join('–'),
      count(peak),
      count(densest),
      attempts.toFixed(1),
    ]),
  )
}

/** The section of docs/performance.md. */
export const herdPage = (results) => `## A herd after a restart

${count(clients)} clients of default options lose their websockets in the same millisecond. The server is away for a while, then it
takes ${count(perSecond)} connections a second and queues what it can do in 255 ms. More are refused, or dropped so that TCP tries
them again after 1, 3 and 7 s. The same holds while it is away. All of it is simulated, with the client's own policy
(\`session/state.ts\`, \`strategy.ts\`, \`backoff.ts\`): every run gives the same figures. The last columns are the most
attempts within a time, and the attempts of a client. A client of default options tries up to three modes each time; the
others try one.

${herdTable(results)}

At this rate, no policy has 99 % back before 5 s. A client that finds its server at once is back within 0.3 s, so the
first attempts are close together: within 70 ms, not in one. After that, each wait is random below a ceiling: one second
in short outages, an eighth of the time since the loss in long ones, at most a minute.`
