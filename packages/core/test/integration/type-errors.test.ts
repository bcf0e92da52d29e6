import { expect, test } from 'vitest'
import { errorsOf, programOf, root, textOf } from '../support/type-check.js'

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
function messagesOf(lines: readonly string[]): string[] {
  const program = programOf([], new Map([[file, beginning + lines.join('\n')]]))
  return errorsOf(program, file).map(textOf)
}

test('a name that there is not → TypeScript lists those that there are', { timeout: 180_000 }, () => {
  const errors = messagesOf([
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
