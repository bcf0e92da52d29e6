import { allModes, test } from '../support/test.js'
import { faults } from './faults.js'
import { leftOut } from './left-out.js'
import { measure } from './row.js'
import { selection } from './selection.js'
import { servers } from './servers.js'

// The fault matrix: `npm run e2e:matrix`. A test for each server and fault; its four pages are four rows.

const { wants, count, perSecond } = selection()

for (const server of servers.filter(({ name }) => wants('server', name))) {
  for (const fault of faults.filter(({ name }) => wants('fault', name))) {
    const modes = allModes.filter((mode) => wants('mode', mode) && leftOut(server, mode, fault) === undefined)
    if (modes.length === 0) continue
    test(`${server.name} ${fault.name}`, async ({ browser }, testInfo) => {
      const missing = server.missing()
      test.skip(missing !== undefined, missing)
      const { rows, violations, crashes } = await measure(browser, testInfo.project.name, server, fault, modes, {
        count,
        perSecond,
      })
      await testInfo.attach('rows', { body: JSON.stringify(rows), contentType: 'application/json' })
      for (const crash of crashes) console.log(crash)
      if (violations.length > 0) throw new Error(violations.join('\n'))
    })
  }
}
