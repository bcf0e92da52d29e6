import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { corpus, type Fate, type Wild } from '../nginx/wild/corpus.js'
import { translate } from './directives.js'

const folder = new URL('../nginx/wild/', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8')
const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``

const words: Record<Fate, string> = { all: 'all come', gap: 'come, or a `gap`', unseen: 'may be lost unseen' }

/** The options as a page writes them. */
function optionsOf({ options, protocol, base, modes, urls }: Wild): string {
  const { messageTemplate, ...rest } = options
  const pairs = Object.entries(rest).map(([name, value]) => `${name}: ${JSON.stringify(value).replaceAll('"', "'")}`)
  if (base) pairs.unshift(`url: '${base}'`)
  if (Object.keys(modes).length < 3 || 'stream' in modes) pairs.unshift(`modes: '${Object.keys(modes).join('|')}'`)
  if (messageTemplate !== undefined) pairs.push('messageTemplate: messageTemplate(…)')
  if (protocol?.name === 'nchan') {
    const { name: _, ...settings } = protocol
    const own = Object.entries(settings).map(([name, value]) => `${name}: '${value}'`)
    if (urls) own.unshift('url: (names, mode) => …')
    pairs.push(`protocol: nchan(${own.length > 0 ? `{ ${own.join(', ')} }` : ''})`)
  }
  return pairs.length === 0 ? 'none' : pairs.map(code).join('<br>')
}

/** The first comment of a configuration. */
const aboutOf = ({ name }: Wild) => (/^((?:# .*\n)+)/.exec(read(`${name}.conf`))?.[1] ?? '').replace(/^# |\n$/gm, '')

test('the README has a row for each configuration, as it is tested', () => {
  const rows = corpus.map((wild) =>
    [
      `[${wild.name}](${wild.name}.conf)`,
      aboutOf(wild),
      optionsOf(wild),
      `${wild.status.resume}, ${wild.status.gaps}`,
      words[wild.cut],
      words[wild.reload],
      wild.restart === 'gap' ? 'a `gap`' : 'unseen',
    ].join(' | '),
  )
  expect(
    read('README.md')
      .split('\n')
      .filter((line) => line.startsWith('| [')),
  ).toEqual(rows.map((row) => `| ${row} |`))
})

test('every configuration of the folder is in the corpus', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.conf'))
  expect(files.sort()).toEqual(corpus.map(({ name }) => `${name}.conf`).sort())
})

test('a directive that the development server lacks → refused', () => {
  expect(() => translate('http { push_stream_user_agent x; }', 'http://x')).toThrow('push_stream_user_agent')
  expect(() => translate('http { push_stream_last_event_id $http_x; }', 'http://x')).toThrow('$http_x')
})

test('directives become settings of their location, and nginx keeps the rest', () => {
  const { config, options } = translate(
    `load_module ngx_http_push_stream_module.so;
    http {
      push_stream_message_ttl 5m; # a comment; with a semicolon
      push_stream_message_template "{\\"t\\":\\"~text~\\"}";
      map $x $y { "~^(a b)$" 'c;d'; }
      server {
        location ~ ^/ws/(?<c>.+)$ { deny all; push_stream_subscriber websocket; push_stream_channels_path "p_$c"; }
        location /pub { push_stream_publisher admin; push_stream_store_messages on; push_stream_channels_path $arg_id; }
      }
    }`,
    'http://127.0.0.1:1',
  )
  expect(options.settings).toMatchObject({
    messageTtl: 300_000,
    messageTemplate: '{"t":"~text~"}',
    storeMessages: false,
  })
  expect(options.locations).toMatchObject([
    { path: '/0', mode: 'websocket' },
    { path: '/1', mode: 'publisher-admin', settings: { storeMessages: true } },
  ])
  expect(config).not.toMatch(/push_stream_|load_module/)
  expect(config).toContain(`"~^(a b)$" 'c;d';`)
  expect(config).toContain('location ~ ^/ws/(?<c>.+)$ {')
  expect(config).toContain('deny all;')
  expect(config).toContain('proxy_set_header x-pushstream-channels "p_$c";')
})
