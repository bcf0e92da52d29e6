import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { lacking, missingProgram, type ProgramName, program } from '../../../../e2e/support/programs.js'
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

/** Each as its page has it, with what of its framework it asks for; answers each address with a status. */
const mays: Record<'python' | 'ruby' | 'php', () => readonly string[]> = {
  python: () => [
    '-c',
    `import json, sys, types
class HttpResponse:
    def __init__(self, status):
        self.status = status
sys.modules["django"] = types.ModuleType("django")
sys.modules["django.http"] = types.SimpleNamespace(HttpResponse=HttpResponse)
${blockOf('python', 'def may')}
user = types.SimpleNamespace(pk=sys.argv[2], is_authenticated=sys.argv[2] != "")
print(json.dumps([
    may(types.SimpleNamespace(META={"HTTP_X_ORIGINAL_URI": uri}, user=user)).status for uri in json.loads(sys.argv[1])
]))`,
  ],
  ruby: () => [
    '-e',
    `require "json"
User = Struct.new(:id)
Request = Struct.new(:headers)
CODES = { no_content: 204, unauthorized: 401, forbidden: 403 }
def current_user = ARGV[1].empty? ? nil : User.new(ARGV[1])
def request = Request.new({ "X-Original-URI" => $uri })
def head(status) = CODES.fetch(status)
${blockOf('ruby', 'def may')}
puts JSON.generate(JSON.parse(ARGV[0]).map { |uri| $uri = uri; may })`,
  ],
  php: () => [
    '-r',
    `function may(string $uri, string $user): int
{
    $_SERVER['HTTP_X_ORIGINAL_URI'] = $uri;
    $_SESSION = $user === '' ? [] : ['user' => $user];
    ${blockOf('php', 'HTTP_X_ORIGINAL_URI')}
    return http_response_code();
}
echo json_encode(array_map(fn($uri) => may($uri, $argv[2]), json_decode($argv[1])));`,
    '--',
  ],
}

for (const language of ['python', 'ruby', 'php'] as const) {
  test.skipIf(missing(language))(
    `what answers auth_request in ${language} lets through what is allowed, and no way to write another name`,
    async () => {
      const ask = async (uris: readonly string[], user = 'ann'): Promise<number[]> =>
        JSON.parse((await run(at(language), [...mays[language](), JSON.stringify(uris), user])).stdout)
      const mine = ['/ws/user-ann', '/ev/global.b5/user-ann?time=&tag=1']
      expect(await ask(mine)).toEqual([204, 204])
      expect(await ask(mine, '')).toEqual([401, 401])
      const refused = [
        '/ws/user-bob',
        '/ws/user-ann/user-bob',
        '/ws/user%2Dbob/ws/user-ann',
        '/ws/user-ann\n',
        '/ws/user-ann/',
        '',
      ]
      expect(await ask(refused)).toEqual(refused.map(() => 403))
      // Names in the query are not looked at where they stand in the path.
      const others = attacks('user-bob', 'user-ann').filter(
        (uri) => !/channels=/i.test(uri) && !/^\/ev\/user-ann(\?|$)/.test(uri),
      )
      const sample = others.filter((_, i) => i % 7 === 0)
      expect(sample.length).toBeGreaterThan(200)
      const answers: number[] = []
      for (let from = 0; from < sample.length; from += 500) answers.push(...(await ask(sample.slice(from, from + 500))))
      expect(sample.filter((_, i) => answers[i] !== 403)).toEqual([])
    },
  )
}
