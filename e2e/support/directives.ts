import { DEFAULT_SETTINGS, type DevServerOptions, type LocationMode, type Settings } from '@pushstream/devserver'

// Runs a configuration of the push stream module without the module: nginx keeps everything that is nginx's own, and the
// development server gets what the directives of the module say.

/** What the module does unless told otherwise, where the development server does something else. */
const moduleDefaults: Partial<Settings> = {
  messageTemplate: '~text~',
  storeMessages: false,
  maxMessagesStoredPerChannel: null,
  maxChannelIdLength: null,
  maxNumberOfChannels: null,
  maxNumberOfWildcardChannels: null,
  pingMessageInterval: null,
  longpollingConnectionTtl: null,
  lastReceivedMessageTime: null,
  lastReceivedMessageTag: null,
  lastEventId: null,
}

/** Which location a request is for, and what its push_stream_channels_path came to. */
export const locationHeader = 'x-pushstream-location'
export const channelsHeader = 'x-pushstream-channels'

export interface Translation {
  /** The configuration, without the module. */
  readonly config: string
  /** Each location is at `/` and its number. */
  readonly options: DevServerOptions
}

interface Directive {
  readonly words: readonly string[]
  readonly block: readonly Directive[] | undefined
}

const token = /\s+|#[^\n]*|"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'|[{};]|(?:\\[^]|[^\s;{}'"\\])+/g

function parse(config: string): Directive[] {
  const tokens = (config.match(token) ?? []).filter((text) => !/^[\s#]/.test(text))
  let at = 0
  const block = (): Directive[] => {
    const directives: Directive[] = []
    for (let words: string[] = []; at < tokens.length; ) {
      const text = tokens[at++] as string
      if (text === '}') return directives
      if (text === ';' || text === '{') {
        directives.push({ words, block: text === '{' ? block() : undefined })
        words = []
      } else words.push(text)
    }
    return directives
  }
  return block()
}

const written = (directives: readonly Directive[], indent = ''): string =>
  directives
    .map(({ words, block }) => {
      const head = `${indent}${words.join(' ')}`
      return block === undefined ? `${head};\n` : `${head} {\n${written(block, `${indent}  `)}${indent}}\n`
    })
    .join('')

/** A word as nginx reads it. */
const unquoted = (word: string) =>
  /^["']/.test(word)
    ? word.slice(1, -1).replace(/\\(["'\\trn])/g, (_, c: string) => ({ t: '\t', r: '\r', n: '\n' })[c] ?? c)
    : word

const units: Record<string, number> = { ms: 1, s: 1000, '': 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function milliseconds(text: string): number {
  const [, amount, unit] = /^(\d+)(ms|[smhd]?)$/.exec(text) ?? []
  if (amount === undefined) throw new Error(`${text} is no time`)
  return Number(amount) * (units[unit as string] as number)
}

/** The setting that a directive is called after, with its value. */
function settingOf(directive: string, value: string): Partial<Settings> {
  const name = directive.slice('push_stream_'.length).replace(/_(\w)/g, (_, c: string) => c.toUpperCase())
  if (!Object.hasOwn(DEFAULT_SETTINGS, name)) throw new Error(`the development server has no ${directive}`)
  if (name.startsWith('last')) {
    const bound = /^\$arg_(\w+)$/.exec(value)
    if (bound === null) throw new Error(`${directive} is read only from an argument, not from ${value}`)
    return { [name]: bound[1] as string }
  }
  const usual = DEFAULT_SETTINGS[name as keyof Settings]
  if (typeof usual === 'boolean') return { [name]: value === 'on' }
  if (/(Time|Ttl|Interval)$/.test(name)) return { [name]: milliseconds(value) }
  return { [name]: typeof usual === 'string' ? value : Number(value) }
}

const modes: Record<string, (argument: string | undefined) => LocationMode> = {
  push_stream_subscriber: (mode = 'streaming') => mode as LocationMode,
  push_stream_publisher: (mode) => (mode === 'admin' ? 'publisher-admin' : 'publisher'),
  push_stream_channels_statistics: () => 'statistics',
}

/** What has no counterpart, and changes nothing that a test could see. */
const ignored = new Set(['push_stream_shared_memory_size'])

/** What is inherited by a block from the one around it. */
interface Scope {
  readonly settings: Partial<Settings>
  readonly path: string | undefined
  readonly origins: string | undefined
}

/**
 * Reads the directives of the push stream module in a configuration. What is left passes the requests of their locations on
 * to `upstream`. Throws on what the development server lacks.
 */
export function translate(config: string, upstream: string): Translation {
  const locations: NonNullable<DevServerOptions['locations']>[number][] = []
  let shared: Partial<Settings> = moduleDefaults

  const walk = (directives: readonly Directive[], outer: Scope, inHttp: boolean): Directive[] => {
    let { settings, path, origins } = outer
    let mode: LocationMode | undefined
    const rest: Directive[] = []
    for (const directive of directives) {
      const [name = '', first] = directive.words
      if (!name.startsWith('push_stream_')) rest.push(directive)
      else if (modes[name]) mode = modes[name](first)
      else if (name === 'push_stream_channels_path') path = first
      else if (name === 'push_stream_allowed_origins') origins = first
      else if (!ignored.has(name)) settings = { ...settings, ...settingOf(name, unquoted(first as string)) }
    }
    // The module lets a long-poll last as long as any other subscription.
    if (settings.longpollingConnectionTtl === null && settings.subscriberConnectionTtl != null)
      settings = { ...settings, longpollingConnectionTtl: settings.subscriberConnectionTtl }
    if (inHttp) shared = settings
    const inner = rest.map(({ words, block }) => ({
      words,
      block: block && walk(block, { settings, path, origins }, words[0] === 'http'),
    }))
    if (mode === undefined) return inner
    const { ...all } = settings
    for (const name of Object.keys(all) as (keyof Settings)[]) if (all[name] === shared[name]) delete all[name]
    locations.push({
      path: `/${locations.length}`,
      mode,
      // A location without a channels path has no channels: no argument stands in for it.
      settings: { ...all, channelsArgument: 'none', ...(origins !== undefined && { allowedOrigins: '*' }) },
    })
    const passed = [
      `proxy_pass ${upstream}`,
      'proxy_http_version 1.1',
      'proxy_buffering off',
      'proxy_read_timeout 1h',
      'proxy_set_header Upgrade $http_upgrade',
      'proxy_set_header Connection $pushstream_connection',
      `proxy_set_header ${locationHeader} ${locations.length - 1}`,
      // In the order in which the module evaluates them: an expression in the first may set the captures of the second.
      ...(origins === undefined
        ? []
        : [
            `proxy_set_header x-pushstream-origin ${origins}`,
            'proxy_hide_header Access-Control-Allow-Origin',
            `add_header Access-Control-Allow-Origin ${origins} always`,
          ]),
      `proxy_set_header ${channelsHeader} ${path ?? '""'}`,
    ]
    return [...inner, ...passed.map((line) => ({ words: [line], block: undefined }))]
  }

  const read = parse(config).filter(({ words }) => !(words[0] === 'load_module' && words[1]?.includes('push_stream')))
  const nginx = walk(read, { settings: moduleDefaults, path: undefined, origins: undefined }, false)
  // One for all: `Connection: upgrade` where a websocket is asked for.
  const connection = parse('map $http_upgrade $pushstream_connection { default upgrade; "" ""; }')
  const withMap = nginx.map(({ words, block }) =>
    words[0] === 'http' ? { words, block: [...connection, ...(block ?? [])] } : { words, block },
  )
  return { config: written(withMap), options: { settings: shared, locations } }
}
