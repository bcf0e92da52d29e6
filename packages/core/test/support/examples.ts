import ts from 'typescript'
import { compilerOptions, errorsOf, programOf, root, textOf } from './type-check.js'

/** A public declaration, or a member of one. */
export interface Declared {
  /** The import and the name, such as `@pushstream/core PushStream.on`. */
  readonly name: string
  /** Whether it must have an example: it is a value, or options that a user writes. */
  readonly needsExample: boolean
  readonly examples: readonly Example[]
}

/** The block of an `@example`. */
export interface Example {
  /** `ts`, `tsx` or another. `undefined`: the tag has no block. */
  readonly language: string | undefined
  readonly code: string
}

/** The names of types that a user writes by hand. */
const options = /(Options|Settings|Init|Props)$/
const block = /^```(\w*)\n(.*?)\n```$/gms
/** Lets an example import a component of Vue. */
const shim = `${root}packages/vue/test/guide/vue.d.ts`
/** Applications do not import it. */
const internal = '@pushstream/core/testing'

/** The source of each import that the packages offer. */
export function entryPoints(): Map<string, string> {
  const paths = Object.entries(compilerOptions().paths ?? {})
  return new Map(paths.sort().map(([specifier, [path = '']]) => [specifier, `${root}${path.replace('./', '')}`]))
}

/** Everything that the entry points export, and its members. */
export function declarationsOf(program: ts.Program, entries: ReadonlyMap<string, string>): Declared[] {
  const checker = program.getTypeChecker()
  const seen = new Set<ts.Symbol>()
  const found: Declared[] = []
  const add = (name: string, symbol: ts.Symbol, needsExample: boolean) => {
    const [declaration] = symbol.declarations ?? []
    // Types of other packages may be exported too. What two entry points export counts once.
    if (!declaration?.getSourceFile().fileName.startsWith(`${root}packages/`) || seen.has(symbol)) return
    seen.add(symbol)
    const tags = symbol.getJsDocTags(checker).filter((tag) => tag.name === 'example')
    found.push({ name, needsExample, examples: tags.flatMap(({ text }) => blocksOf(ts.displayPartsToString(text))) })
    const members = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])]
    for (const member of members) add(`${name}.${member.name}`, member, false)
  }
  for (const [specifier, file] of entries) {
    const source = program.getSourceFile(file)
    const module = source && checker.getSymbolAtLocation(source)
    if (module === undefined) throw new Error(`${file}, the source of ${specifier}, exports nothing`)
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      const isValue = Boolean(symbol.flags & ts.SymbolFlags.Value)
      add(`${specifier} ${exported.name}`, symbol, (isValue || options.test(exported.name)) && specifier !== internal)
    }
  }
  return found
}

function blocksOf(text: string): Example[] {
  const blocks = [...text.matchAll(block)].map(([, language = '', code = '']) => ({ language, code }))
  return blocks.length > 0 ? blocks : [{ language: undefined, code: text }]
}

/** What is wrong with the examples. Each is compiled as a file of its own, so it imports what it uses. */
export function errorsOfExamples(declared: readonly Declared[], before?: ts.Program): string[] {
  const written = new Map<string, string>()
  const names = new Map<string, string>()
  const errors: string[] = []
  for (const { name, examples } of declared) {
    for (const { language, code } of examples) {
      const file = `${root}example-${written.size}.${language}`
      names.set(file, name)
      if (language === 'ts' || language === 'tsx') written.set(file, `${code}\nexport {}\n`)
      else errors.push(`${name}: its @example is no block of \`\`\`ts or \`\`\`tsx`)
    }
  }
  const program = programOf([shim], written, before)
  for (const [file, name] of names) {
    for (const error of written.has(file) ? errorsOf(program, file) : []) {
      // A variable may be unused, because it shows what a call returns. An unused import is a mistake.
      if (!error.reportsUnnecessary || isInImport(program, file, error)) errors.push(`${name}: ${textOf(error)}`)
    }
  }
  return errors
}

function isInImport(program: ts.Program, file: string, { start = 0 }: ts.Diagnostic): boolean {
  const statements = program.getSourceFile(file)?.statements ?? []
  return statements.some((one) => ts.isImportDeclaration(one) && one.pos <= start && start < one.end)
}
