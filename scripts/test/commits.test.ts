import { describe, expect, test } from 'vitest'

interface Subjects {
  problemsOfSubject(subject: string): string[]
  subjectOf(message: string): string
  isOfGit(subject: string): boolean
}

const { problemsOfSubject, subjectOf, isOfGit }: Subjects = await import(
  new URL('../commit-subjects.mjs', import.meta.url).href
)

describe('the first line of a message', () => {
  test.each([
    ['fix(core): Nchan by long-polling wakes from sleep within a second'],
    ['docs(react, vue): a guide to component tests'],
    ['feat(core)!: the client needs a protocol'],
    ['build: releases by changesets, with a dry run'],
    [`fix: ${'x'.repeat(67)}`],
  ])('%s → conventional', (subject) => {
    expect(problemsOfSubject(subject)).toEqual([])
  })

  test.each([
    ['core: a thing', ["has the unknown type 'core'"]],
    ['Fix a thing', ["is not of the form 'fix(core): what changes'"]],
    ['fix(core):a thing', ["is not of the form 'fix(core): what changes'"]],
    ['fix(): a thing', ["is not of the form 'fix(core): what changes'"]],
    ['fix:  ', ['does not say what changes']],
    ['fix: a thing.', ['ends with a full stop']],
    [`fix: ${'x'.repeat(68)}`, ['has 73 characters, at most 72 are allowed']],
    ['fixup! fix: a thing', ["is not of the form 'fix(core): what changes'"]],
  ])('%s → %j', (subject, problems) => {
    expect(problemsOfSubject(subject)).toEqual(problems)
  })

  test('comments and empty lines before it → left out', () => {
    expect(subjectOf('\n# Please enter the message\nfix: a thing\n\nThe reason.\n')).toBe('fix: a thing')
    expect(subjectOf('# Please enter the message\n')).toBe('')
  })

  test.each([
    ['Merge branch a', true],
    ['fixup! fix: a thing', true],
    ['fix: Merge', false],
  ])('%s, written by git itself → %s', (subject, itself) => {
    expect(isOfGit(subject)).toBe(itself)
  })
})
