import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** The repository's folder. */
export const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** The options of the repository's tsconfig.json. */
export function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  return ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root).options
}

/**
 * A program of these files, and of others by their path whose text is given. Packages resolve to their sources.
 * `before`: a program with the same options, to take the sources of.
 */
export function programOf(
  files: readonly string[],
  written: ReadonlyMap<string, string> = new Map(),
  before?: ts.Program,
  changed: ts.CompilerOptions = {},
): ts.Program {
  const options = { ...compilerOptions(), ...changed }
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (name, ...rest) => {
    const text = written.get(name)
    if (text !== undefined) return ts.createSourceFile(name, text, rest[0])
    return before?.getSourceFile(name) ?? getSourceFile(name, ...rest)
  }
  return ts.createProgram([...files, ...written.keys()], options, host)
}

/** What TypeScript says of a file, in the order of its lines. */
export function errorsOf(program: ts.Program, file: string): ts.Diagnostic[] {
  const source = program.getSourceFile(file)
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
}

export const textOf = ({ messageText }: ts.Diagnostic): string => ts.flattenDiagnosticMessageText(messageText, '\n')
