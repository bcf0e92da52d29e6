import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { attacks } from '../support/addresses.js'
import { record, startServer } from './support.js'

// What docs/publishing.md says, as far as this machine has the language for it.

const docs = readFileSync(fileURLToPath(new URL('../../../../docs/publishing.md', import.meta.url)), 'utf8')
const blockOf = (language: string, containing: string): string => {
  const blocks = [...docs.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, code = '']) => code)
  const found = blocks.find((code) => code.includes(containing))
  if (found === undefined) throw new Error(`docs/publishing.md has no ${language} with ${containing}`)
  return found
}
const run = promisify(execFile)
const has = async (program: string, ...args: string[]) =>
  run(program, args).then(
    () => true,
    () => false,
  )

const curl = await has('curl', '--version')
const jq = await has('jq', '--version')
const python = await has('python3', '--version')
const php = await has('php', '-r', 'exit(function_exists("curl_init") ? 0 : 1);')
const ruby = await has('ruby', '--version')

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
  test.skipIf(!curl)('curl', () =>
    arrives(
      (url, text) => run('curl', ['-fsS', '--data-urlencode', `=${text}`, `${url}/pub?id=user%2042`]),
      // It writes + for a space, as the page says.
      texts.filter((text) => !text.includes(' ')),
    ),
  )

  test.skipIf(!curl || !jq)('curl with jq', () =>
    arrives((url, text) =>
      run('sh', [
        '-c',
        `text="$1"; curl -fsS -d "$(jq -rn --arg text "$text" '$text|@uri')" "$2"`,
        'sh',
        text,
        `${url}/pub?id=user%2042`,
      ]),
    ),
  )

  test.skipIf(!python)('Python', () =>
    arrives((url, text) =>
      run('python3', [
        '-c',
        `${blockOf('python', 'def publish')}\nimport sys\nassert publish("user 42", sys.argv[1], sys.argv[2])["channel"] == "user 42"`,
        text,
        `${url}/pub`,
      ]),
    ),
  )

  test.skipIf(!ruby)('Ruby', () =>
    arrives((url, text) =>
      run('ruby', [
        '-e',
        `${blockOf('ruby', 'def publish')}\npublish("user 42", ARGV[0], ARGV[1])`,
        text,
        `${url}/pub`,
      ]),
    ),
  )

  test.skipIf(!php)('PHP', () =>
    arrives((url, text) =>
      run('php', [
        '-r',
        `${blockOf('php', 'function publish')}\npublish("user 42", $argv[1], $argv[2]);`,
        text,
        `${url}/pub`,
      ]),
    ),
  )
})

test.skipIf(!python)(
  'the pattern for Django lets through what is allowed, and no way to write another name',
  async () => {
    const pattern = /^ADDRESS = .*$/m.exec(blockOf('python', 'def may'))?.[0]
    const code = `import re, sys, json
${pattern}
def may(uri):
    address = ADDRESS.fullmatch(uri)
    return address is not None and {re.sub(r"\\.b[0-9]+$", "", name) for name in address[1].split("/")} <= {"global", "user-ann"}
print(json.dumps([may(uri) for uri in json.loads(sys.argv[1])]))`
    const ask = async (uris: readonly string[]) =>
      JSON.parse((await run('python3', ['-c', code, JSON.stringify(uris)])).stdout)
    expect(await ask(['/ws/user-ann', '/ev/global.b5/user-ann?time=&tag=1'])).toEqual([true, true])
    // Names in the query are not looked at where they stand in the path.
    const others = attacks('user-bob', 'user-ann').filter(
      (uri) => !/channels=/i.test(uri) && !/^\/ev\/user-ann(\?|$)/.test(uri),
    )
    const sample = others.filter((_, i) => i % 7 === 0)
    const answers: boolean[] = []
    for (let from = 0; from < sample.length; from += 500) answers.push(...(await ask(sample.slice(from, from + 500))))
    expect(sample.filter((_, i) => answers[i] !== false)).toEqual([])
  },
)
