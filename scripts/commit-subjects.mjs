/** What a commit may be, with what a reader of the history expects of it. */
export const types = {
  feat: 'users can do more',
  fix: 'something works now',
  perf: 'faster or smaller',
  refactor: 'the same by other code',
  test: 'tests alone',
  docs: 'documentation alone',
  build: 'packages, scripts and what they need',
  ci: 'what runs on a server',
  bench: 'what is measured, and how',
  chore: 'a release, and what fits nowhere else',
  revert: 'takes a commit back',
}
const LONGEST = 72

/** What is wrong with the first line of a commit's message, in words. */
export function problemsOfSubject(subject) {
  const problems = []
  const [, type, rest] = /^([a-z]+)(?:\([a-z0-9@/*.,\- ]+\))?!?: (.*)$/.exec(subject) ?? []
  if (type === undefined) problems.push("is not of the form 'fix(core): what changes'")
  else if (!(type in types)) problems.push(`has the unknown type '${type}'`)
  if (rest?.trim() === '') problems.push('does not say what changes')
  if (subject.length > LONGEST) problems.push(`has ${subject.length} characters, at most ${LONGEST} are allowed`)
  if (/\.$/.test(subject)) problems.push('ends with a full stop')
  return problems
}

/** The first line of a message as git would keep it: comments and empty lines before it are left out. */
export const subjectOf = (message) =>
  message.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#')) ?? ''

/** Whether git writes a subject itself, for a commit that does not stay or has no content of its own. */
export const isOfGit = (subject) => /^(Merge |fixup! |squash! |amend! )/.test(subject)
