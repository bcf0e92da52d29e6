import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { corpus } from '../nginx/wild/corpus.js'
import type { Fate, Wild } from '../nginx/wild/wild.js'
import { translate } from './directives.js'

const folder = new URL('../nginx/wild/', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8')
const words: Record<Fate, string> = { all: 'all come', gap: 'come, or a `gap`', unseen: 'may be lost' }

/** The options as a page writes them, a line each. */
function optionsOf({ options, protocol, base, modes, urls }: Wild): string[] {
  const quoted = (value: unknown) => JSON.stringify(value).replaceAll('"', "'")
  const { messageTemplate, ...rest } = options
  const lines = Object.entries(rest).map(([name, value]) => `${name}: ${quoted(value)},`)
  if (base) lines.unshift(`url: '${base}',`)
  if (Object.keys(modes).length < 3 || 'stream' in modes) lines.unshift(`modes: '${Object.keys(modes).join('|')}',`)
  if (messageTemplate !== undefined) lines.push('messageTemplate: messageTemplate(…),')
  if (protocol?.name === 'nchan') {
    const { name: _, ...settings } = protocol
    const own = Object.entries(settings).map(([name, value]) => `${name}: '${value}'`)
    if (urls) own.unshift('url: (names, mode) => …')
    lines.push(`protocol: nchan(${own.length > 0 ? `{ ${own.join(', ')} }` : ''}),`)
  }
  return lines
}

/** The first comment of a configuration. */
const aboutOf = ({ name }: Wild) => (/^((?:# .*\n)+)/.exec(read(`${name}.conf`))?.[1] ?? '').replace(/^# |\n$/gm, '')

/** What the README says of the corpus: a table of the guarantees, and a section for each. */
function described(): string {
  const rows = corpus.map((wild) => {
    const { name, status, cut, reload, restart } = wild
    const promises = [
      `${status.resume}, ${status.gaps}`,
      words[cut],
      words[reload],
      restart === 'gap' ? '`gap`' : 'unseen',
    ]
    return `| [${name}](#${name}) | ${promises.join(' | ')} |`
  })
  const sections = corpus.map((wild) => {
    const lines = optionsOf(wild)
    const options =
      lines.length === 0 ? 'No options.' : `\`\`\`ts\n{\n${lines.map((line) => `  ${line}\n`).join('')}}\n\`\`\``
    const broken = Object.keys(wild.broken ?? {})
    const yet = broken.length > 0 ? `\nNot kept yet: ${broken.join(', ')}.` : ''
    return `### [${wild.name}](${wild.name}.conf)\n\n${aboutOf(wild)}${yet}\n\n${options}\n`
  })
  const head = '| configuration | resume, gaps | cut | reload | restart |\n| --- | --- | --- | --- | --- |'
  return `${head}\n${rows.join('\n')}\n\n## Options\n\n${sections.join('\n')}`
}

test('the README tells of each configuration what is tested', async () => {
  const [before, , after] = read('README.md').split(/(?<=<!-- (?:corpus|end) -->\n)/)
  expect(before).toMatch(/<!-- corpus -->\n$/)
  await expect(`${before}\n${described()}\n<!-- end -->\n${after}`).toMatchFileSnapshot(
    fileURLToPath(new URL('README.md', folder)),
  )
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
