import { expect, test } from 'vitest'

interface Step {
  run(how: { report: string; since?: string; files?: readonly string[] }): { args: readonly string[] }
}

interface Steps {
  steps: Record<string, Step>
  concerns(step: Step, files: readonly string[]): boolean
}

const { steps, concerns }: Steps = await import(new URL('../../scripts/steps.mjs', import.meta.url).href)

const all = Object.keys(steps)
const browsers = ['browser: chromium', 'browser: firefox']
const tests = ['lint', 'links', 'types', 'knip', 'unit', 'integration']

test.each([
  [[], []],
  ['README.md', ['lint', 'links', 'prose', 'unit', 'integration', 'docs']],
  ['.github/workflows/test.yml', ['lint', 'links', 'release']],
  ['docs/publishing.md', ['lint', 'links', 'prose', 'unit', 'integration', 'docs']],
  ['docs/start/nchan.md', ['lint', 'links', 'prose', 'unit', 'integration', 'docs', ...browsers]],
  ['docs/guides/security.md', ['lint', 'links', 'prose', 'unit', 'integration', 'docs']],
  ['docs/guides/workers.md', ['lint', 'links', 'prose', 'unit', 'integration', 'docs', ...browsers]],
  ['docs/.vitepress/config.mjs', ['lint', 'links', 'types', 'knip', 'unit', 'docs']],
  ['packages/core/test/unit/text.test.ts', tests],
  ['packages/core/test/integration/nchan.test.ts', tests],
  ['packages/core/test/support/numbered.ts', [...tests, ...browsers]],
  ['packages/core/README.md', ['lint', 'links', 'prose', 'unit', 'integration', 'build', 'packages', 'docs']],
  ['etc/core.api.md', ['lint', 'links', 'prose', 'unit', 'integration', 'api', 'docs']],
  ['packages/core/src/client.ts', all.filter((name) => !/release|prose/.test(name))],
  ['package-lock.json', all],
  ['scripts/build.mjs', all],
  ['playground/App.vue', ['lint', 'links', 'types: playground', 'knip', ...browsers]],
  ['examples/react-dashboard/src/App.tsx', ['lint', 'links', 'types', 'knip', 'types: examples', ...browsers]],
  ['examples/plain/nginx.conf', ['lint', 'links', 'unit', ...browsers]],
  ['examples/php/public/index.php', ['lint', 'links', 'integration', ...browsers]],
  ['e2e/tabs.spec.ts', ['lint', 'links', 'types', 'knip', 'integration', ...browsers]],
  ['e2e/support/channel-names.ts', [...tests, ...browsers]],
  ['e2e/nginx/nchan.conf', ['lint', 'links', 'integration', ...browsers]],
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

test.each([
  [['README.md', 'docs/tabs.md'], true],
  [['README.md', 'packages/core/test/integration/nchan.test.ts'], false],
  [['docs/publishing.md'], false],
])('the integration tests, after a change of %j → those of the samples alone: %s', (files, alone) => {
  const { args } = (steps.integration as Step).run({ report: 'r.json', since: 'HEAD', files })
  expect(args.includes('samples')).toBe(alone)
  expect(args).not.toContain('--changed=HEAD')
})

test('the integration tests, of no change in particular → all of them', () => {
  const { args } = (steps.integration as Step).run({ report: 'r.json' })
  expect(args).not.toContain('samples')
  expect(args.some((arg) => arg.startsWith('--changed'))).toBe(false)
})
