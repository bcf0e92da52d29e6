import { faults } from './matrix/faults.js'
import { leftOut } from './matrix/left-out.js'
import { measure } from './matrix/row.js'
import { servers } from './matrix/servers.js'
import { lacking } from './support/programs.js'
import { allModes, note, test } from './support/test.js'

// A part of the fault matrix with fewer messages, at every run of the tests. The whole: npm run e2e:matrix

// Each of thousands of long-polls in a trace would cost more than the client.
test.use({ trace: 'off', screenshot: 'off' })

const part = {
  // With several messages an answer, a reload now and then makes a worker of Nchan crash: that is the whole matrix's.
  'nchan-1': ['reload'],
  'nchan-2': ['cut', 'restart'],
  'nchan-redis-2': ['failover', 'redis-restart'],
} as const

for (const [name, some] of Object.entries(part)) {
  const server = servers.find((one) => one.name === name)!
  for (const fault of faults.filter((one) => (some as readonly string[]).includes(one.name))) {
    const title = `${name}, ${fault.name}: in all modes nothing is lost without a gap, nothing comes twice`
    // A cut is the network's. The others are what a server does.
    test(title, { tag: fault.name === 'cut' ? [] : '@server' }, async ({ browser }, { project }) => {
      const missing = lacking(server.missing())
      test.skip(missing !== undefined, missing)
      test.setTimeout(120_000)
      const modes = allModes.filter((mode) => leftOut(server, mode, fault) === undefined)
      const volume = { count: 600, perSecond: 200 }
      const { rows, violations, crashes } = await measure(browser, project.name, server, fault, modes, volume)
      if (crashes.length > 0) note('worker crashes', crashes.length)
      for (const { mode, recoverMs, gaps } of rows) note(mode, `${gaps} gaps, recovered in ${recoverMs} ms`)
      if (violations.length > 0) throw new Error(violations.join('\n'))
    })
  }
}
