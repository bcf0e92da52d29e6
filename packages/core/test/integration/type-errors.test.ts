import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const file = `${root}packages/core/test/written.ts`
const beginning = `
import { PushStream } from '../src/index.js'
interface Shop {
  news: { item: { title: string }; alarm: { level: number } }
  [user: \`user-\${number}\`]: { answer: { value: number } }
}
const stream = new PushStream<Shop>()
`

/** What TypeScript says of each line, in the order of the lines. */
function errorsOf(lines: readonly string[]): string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, beginning + lines.join('\n'), rest[0]) : getSourceFile(name, ...rest)
  const program = ts.createProgram([file], options, host)
  const errors = program.getSemanticDiagnostics(program.getSourceFile(file))
  return errors.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

test('a name that there is not → TypeScript lists those that there are', { timeout: 180_000 }, () => {
  const errors = errorsOf([
    `stream.on('mesage', () => {})`,
    `stream.addChannel('nws')`,
    `stream.registerProcessor('nws', 'item', () => {})`,
    `stream.registerProcessor('news', 'itm', () => {})`,
    `new PushStream({ modes: 'websockt' })`,
    `stream.addChannel('news', { backtrak: 1 })`,
  ])
  const names = [
    ['"message"', '"status"', '"open"', '"gap"', '"channeldeleted"', '"deadletter"', '"error"'],
    ['`user-$', '"news"'],
    ['"*"', '`user-$', '"news"'],
    ['"*"', '"item"', '"alarm"'],
    [`Did you mean '"websocket"'?`],
    [`Did you mean to write 'backtrack'?`],
  ]
  expect(errors).toHaveLength(names.length)
  errors.forEach((error, index) => {
    for (const name of names[index] ?? []) expect(error).toContain(name)
  })
})
