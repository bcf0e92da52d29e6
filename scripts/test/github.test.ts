import { describe, expect, test } from 'vitest'

interface Github {
  problemsOfForm(file: string, form: unknown): string[]
  problemsOfWorkflow(
    file: string,
    workflow: unknown,
    repository: { scripts: readonly string[]; exists(path: string): boolean },
  ): string[]
  problemsOfText(file: string, text: string): string[]
}

const github: Github = await import(new URL('../release/github.mjs', import.meta.url).href)

const question = (id: string, required = true) => ({
  type: 'textarea',
  id,
  attributes: { label: 'What?' },
  validations: { required },
})
const form = (...body: readonly unknown[]) => ({ name: 'Bug', description: 'It fails.', body })
const wanted = ['doctor', 'server', 'server-version', 'client-version', 'browser']

describe('an issue form', () => {
  test('asks for what a report needs → no problem', () => {
    const text = { type: 'markdown', attributes: { value: 'Hello' } }
    expect(github.problemsOfForm('bug.yml', form(text, ...wanted.map((id) => question(id))))).toEqual([])
  })

  test('the output of the doctor is missing, the browser optional → a problem each', () => {
    const ids = wanted.filter((id) => id !== 'doctor')
    const body = ids.map((id) => question(id, id !== 'browser'))
    expect(github.problemsOfForm('bug.yml', form(...body))).toEqual([
      "bug.yml does not ask for 'doctor'",
      "bug.yml 'browser' is not required",
    ])
  })

  test.each([
    [null, ['has no name', 'has no description', 'asks nothing']],
    [form(), ['asks nothing']],
    [form(question('a'), question('a')), ["has two questions with the id 'a'"]],
    [form(question('a b')), ["has a question with the id 'a b'"]],
    [
      form(question('a'), { type: 'select', id: 'b', attributes: { label: 'B' } }),
      ["has an element of the unknown type 'select'"],
    ],
    [form({ type: 'dropdown', id: 'a', attributes: { label: 'A', options: [] } }), ["'a' has no options"]],
    [form({ type: 'input', id: 'a' }), ["'a' has no label"]],
  ])('GitHub would not show it: %j → %j', (shown, problems) => {
    expect(github.problemsOfForm('f.yml', shown)).toEqual(problems.map((problem) => `f.yml ${problem}`))
  })
})

describe('a workflow', () => {
  const repository = { scripts: ['test', 'lint'], exists: (path: string) => path === 'scripts/build.mjs' }
  const problemsOf = (
    steps: readonly unknown[],
    job: object = { 'timeout-minutes': 5 },
    rest: object = { permissions: {} },
  ) => github.problemsOfWorkflow('w.yml', { ...rest, jobs: { one: { ...job, steps } } }, repository)

  test('runs what exists → no problem', () => {
    const run = 'npm ci && npm test && npm run lint && node scripts/build.mjs'
    expect(problemsOf([{ uses: 'actions/checkout@v6' }, { run }])).toEqual([])
  })

  test.each([
    ['npm run types', "runs 'npm run types', which is not in package.json"],
    ['node scripts/gone.mjs', 'runs scripts/gone.mjs, which does not exist'],
    ['.ci/run --only unit', 'runs .ci/run, which does not exist'],
  ])('runs %s, which is gone → %s', (run, problem) => {
    expect(problemsOf([{ run }])).toEqual([`w.yml ${problem}`])
  })

  test('an action without a version, no limit of time, all permissions → a problem each', () => {
    expect(problemsOf([{ uses: 'actions/checkout@main' }], {}, {})).toEqual([
      'w.yml does not limit its permissions',
      "w.yml 'one' has no limit of time",
      'w.yml uses actions/checkout@main without a version',
    ])
  })
})

test('a file of GitHub that names an address → a problem, unless it is an example', () => {
  const text = 'See https://github.com/someone/pushstream/security or https://your-server.example.'
  expect(github.problemsOfText('a.md', text)).toEqual(['a.md names https://github.com/someone/pushstream/security'])
})
