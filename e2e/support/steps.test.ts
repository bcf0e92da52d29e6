import { expect, test } from 'vitest'

interface Step {
  run(how: { report: string; since: string; files: readonly string[] }): { args: readonly string[] }
}

interface Steps {
  steps: Record<string, Step>
  concerns(step: Step, files: readonly string[]): boolean
}

const { steps, concerns }: Steps = await import(new URL('../../scripts/steps.mjs', import.meta.url).href)

const all = Object.keys(steps)
const browsers = ['browser: chromium', 'browser: firefox']
const tests = ['lint', 'types', 'knip', 'unit', 'integration']

test.each([
  [[], []],
  ['README.md', ['lint', 'prose']],
  ['.github/workflows/test.yml', ['lint', 'release']],
  ['docs/publishing.md', ['lint', 'prose', 'integration']],
  ['packages/core/test/unit/text.test.ts', tests],
  ['packages/core/test/integration/nchan.test.ts', tests],
  ['packages/core/test/support/numbered.ts', [...tests, ...browsers]],
  ['packages/core/README.md', ['lint', 'prose', 'unit', 'integration', 'build', 'packages']],
  ['etc/core.api.md', ['lint', 'prose', 'api']],
  ['packages/core/src/client.ts', all.filter((name) => !/release|prose/.test(name))],
  ['package-lock.json', all],
  ['scripts/build.mjs', all],
  ['playground/App.vue', ['lint', 'types: playground', 'knip', ...browsers]],
  ['examples/react-dashboard/src/App.tsx', ['lint', 'types', 'knip', 'types: examples', ...browsers]],
  ['examples/plain/nginx.conf', ['lint', 'unit', ...browsers]],
  ['e2e/tabs.spec.ts', ['lint', 'types', 'knip', 'integration', ...browsers]],
  ['e2e/support/channel-names.ts', [...tests, ...browsers]],
  ['e2e/nginx/nchan.conf', ['lint', 'integration', ...browsers]],
])('npm test -- --changed, after a change of %s → %j', (files, expected) => {
  expect(all.filter((name) => concerns(steps[name] as Step, [files].flat()))).toEqual(expected)
})

test.each([
  ['packages/publisher/src/cli.ts', false],
  ['scripts/system.mjs', false],
  ['e2e/nginx/nchan.conf', false],
  ['packages/core/test/integration/nchan.test.ts', true],
])('the integration tests, after a change of %s → narrowed to what imports it: %s', (file, narrowed) => {
  const { args } = (steps.integration as Step).run({ report: 'r.json', since: 'HEAD', files: [file] })
  expect(args.includes('--changed=HEAD')).toBe(narrowed)
})
