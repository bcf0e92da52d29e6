import base from '../playwright.config.js'
import { selection } from './selection.js'

const { wants } = selection()

/** The same browsers as for the tests; what is run and what is reported is another matter. */
export default {
  ...base,
  testMatch: 'rows.ts',
  globalSetup: '../support/build.ts',
  timeout: 180_000,
  reporter: [['list'], ['./reporter.ts']],
  // Each of thousands of long-polls in a trace would cost more than the client.
  use: { ...base.use, trace: 'off', screenshot: 'off' },
  projects: (base.projects ?? [])
    .filter(({ name = '' }) => wants('browser', name))
    .map((project) => ({ ...project, outputDir: `../artefacts/matrix-${project.name}` })),
} satisfies typeof base
