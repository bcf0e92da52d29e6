import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { lacking, missingProgram, type ProgramName, program } from '../../../../e2e/support/programs.js'
import { cleanup, record, startServer } from './support.js'

// What docs/publishing.md says, as far as this machine has the language for it.

const docs = readFileSync(fileURLToPath(new URL('../../../../docs/publishing.md', import.meta.url)), 'utf8')
const blockOf = (language: string, containing: string): string => {
  const blocks = [...docs.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, code = '']) => code)
  const found = blocks.find((code) => code.includes(containing))
  if (found === undefined) throw new Error(`docs/publishing.md has no ${language} with ${containing}`)
  return found
}
const run = promisify(execFile)

// With CI=true it is an error when one that `npm test` could have installed is not there.
const missing = (...names: ProgramName[]) => lacking(...names.map(missingProgram)) !== undefined
const at = (name: ProgramName) => program(name) ?? name
/** For a shell that calls them by their names. */
const PATH = [...(['curl', 'jq'] as const).map((name) => dirname(at(name))), process.env.PATH].join(delimiter)

const texts = ['{"type":"answer","value":42}', 'he said "hi" 100% é😀\nand+more']

/** Publishes each text, and takes what arrives. */
async function arrives(publish: (url: string, text: string) => Promise<unknown>, given = texts): Promise<void> {
  const { url } = await startServer()
  const client = record({ url, modes: ['websocket'] })
  client.stream.addChannel('user 42').connect()
  await client.until(() => client.stream.status.state === 'open')
  for (const text of given) await publish(url, text)
  await client.until(() => client.messages.length === given.length)
  expect(client.messages.map(({ text }) => text)).toEqual(given)
}

describe('publishing', () => {
  test.skipIf(missing('curl'))('curl', () =>
    arrives(
      (url, text) => run(at('curl'), ['-fsS', '--data-urlencode', `=${text}`, `${url}/pub?id=user%2042`]),
      // It writes + for a space, as the page says.
      texts.filter((text) => !text.includes(' ')),
    ),
  )

  test.skipIf(missing('curl', 'jq'))('curl with jq', () =>
    arrives((url, text) =>
      run(
        'sh',
        [
          '-c',
          `text="$1"; curl -fsS -d "$(jq -rn --arg text "$text" '$text|@uri')" "$2"`,
          'sh',
          text,
          `${url}/pub?id=user%2042`,
        ],
        { env: { ...process.env, PATH } },
      ),
    ),
  )

  test.skipIf(missing('python'))('Python', () =>
    arrives((url, text) =>
      run(at('python'), [
        '-c',
        `${blockOf('python', 'def publish')}\nimport sys\nassert publish("user 42", sys.argv[1], sys.argv[2])["channel"] == "user 42"`,
        text,
        `${url}/pub`,
      ]),
    ),
  )

  test.skipIf(missing('ruby'))('Ruby', () =>
    arrives((url, text) =>
      run(at('ruby'), [
        '-e',
        `${blockOf('ruby', 'def publish')}\npublish("user 42", ARGV[0], ARGV[1])`,
        text,
        `${url}/pub`,
      ]),
    ),
  )

  test.skipIf(missing('php'))('PHP', () =>
    arrives((url, text) =>
      run(at('php'), [
        '-r',
        `${blockOf('php', 'function publish')}\npublish("user 42", $argv[1], $argv[2]);`,
        text,
        `${url}/pub`,
      ]),
    ),
  )
})

test.skipIf(missing('django'))(
  'examples/django: the connection ends before the answer → a warning, no exception',
  async () => {
    const server = createServer((socket) => socket.once('data', () => socket.destroy()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanup(() => server.close())
    const { port } = server.address() as AddressInfo
    const code = [
      'from django.conf import settings',
      `settings.configure(PUSH_URL="http://127.0.0.1:${port}")`,
      'from office.push import publish',
      'publish("job-1", {"done": 1})',
    ].join('\n')
    const cwd = fileURLToPath(new URL('../../../../examples/django/', import.meta.url))
    const { stderr } = await run(at('django'), ['-c', code], { cwd })
    expect(stderr).toContain('job-1 was not published')
  },
)
