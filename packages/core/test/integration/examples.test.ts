// The `@example`s of all packages. One file checks them, because compiling the packages is most of the work.
import { describe, expect, test } from 'vitest'
import { declarationsOf, entryPoints, errorsOfExamples } from '../support/examples.js'
import { programOf, root } from '../support/type-check.js'

const timeout = 180_000

const entries = entryPoints()
const program = programOf([...entries.values()])

describe('the packages', { timeout }, () => {
  const declared = declarationsOf(program, entries)

  test('an exported value, or options that a user writes → has an @example', () => {
    const without = declared.filter(({ needsExample, examples }) => needsExample && examples.length === 0)
    expect(without.map(({ name }) => name)).toEqual([])
  })

  test('every @example → compiles by itself', () => {
    expect(errorsOfExamples(declared, program)).toEqual([])
  })

  test('every entry point → its declarations are found', () => {
    const found = (entry: string) => declared.some(({ name }) => name.startsWith(`${entry} `))
    expect([...entries.keys()].filter((entry) => !found(entry))).toEqual([])
  })
})

describe('the checks', { timeout }, () => {
  const file = `${root}packages/written.ts`
  const checked = (source: string) => {
    // The libraries are those of the program of the packages.
    const own = programOf([], new Map([[file, source]]), program)
    const declared = declarationsOf(own, new Map([['written', file]]))
    const without = declared.filter(({ needsExample, examples }) => needsExample && examples.length === 0)
    return { without: without.map(({ name }) => name).sort(), errors: errorsOfExamples(declared, own) }
  }
  const documented = (...code: string[]) => `/**\n * @example\n${code.map((line) => ` * ${line}\n`).join('')} */\n`

  test('a declaration without an @example → named, unless it is a type that no one writes', () => {
    const source = `
      export const one = 1
      export function two() {}
      export class Three { four() {} }
      export interface FiveOptions {}
      export interface Six {}
      const seven = 7
      export type { EightOptions } from 'eight'
    `
    expect(checked(source).without).toEqual(['written FiveOptions', 'written Three', 'written one', 'written two'])
  })

  test('an @example that compiles → no error, even if it does not use its variables', () => {
    const code = documented('```ts', "import { join } from 'node:path'", '', "const path = join('a', 'b')", '```')
    expect(checked(`${code}export const one = 1`)).toEqual({ without: [], errors: [] })
  })

  test.each([
    ['a name that it does not import', ['```ts', 'join()', '```'], "written one: Cannot find name 'join'."],
    [
      'a wrong type',
      ['```ts', 'const a: string = 1', '```'],
      "written one: Type 'number' is not assignable to type 'string'.",
    ],
    [
      'an import that it does not use',
      ['```ts', "import { join } from 'node:path'", '```'],
      "written one: 'join' is declared but its value is never read.",
    ],
    ['no block', ['one + 1'], 'written one: its @example is no block of ```ts or ```tsx'],
    ['a block of something else', ['```sh', 'ls', '```'], 'written one: its @example is no block of ```ts or ```tsx'],
  ])('an @example with %s → an error that names the declaration', (_, code, error) => {
    expect(checked(`${documented(...code)}export const one = 1`)).toEqual({ without: [], errors: [error] })
  })

  test('the @example of a member → checked as well', () => {
    const source = `${documented('```ts', 'const', '```')}export class One {\n${documented('```ts', 'two()', '```')} two() {}\n}`
    expect(checked(source).errors).toEqual([
      'written One: Variable declaration list cannot be empty.',
      "written One.two: Cannot find name 'two'.",
    ])
  })
})
