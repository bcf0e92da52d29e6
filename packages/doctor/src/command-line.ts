import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { type ModeName, messageTemplate, nchan } from '@pushstream/core'
import { type DiagnoseOptions, type Fault, faults } from '@pushstream/core/diagnose'
import { explained, question } from './suggestions.js'

export const HELP = `Usage: pushstream-doctor <url> [options]

Tries everything that a page needs of nginx with the push stream module, or of Nchan, and
names each fault with the directive to change. Publishes nothing, unless --publish is given.

  <url>                   where the server is, as a page has it
  -c, --channel <name>    a channel that may be subscribed to (default: a random name)
  --publish <url>         publishes a few small texts, e.g. to 'http://127.0.0.1/pub?id={channel}'
  --modes <names>         what to try (default: websocket,eventsource,longpolling)
  --server <name>         push-stream (default), nchan
  --location <path>       Nchan: the subscriber's location (default: /sub/{channel})
  --websocket <path>      push stream module: the locations (default: /ws, /ev, /lp and /sub)
  --eventsource <path>
  --longpolling <path>
  --stream <path>
  --by-argument <name>    push stream module: the argument that names the channels
  --template <text>       push stream module: push_stream_message_template, if it is not JSON
  --origin <origin>       the origin of the pages, if it is not the server's
  --credentials           pages of another origin send cookies
  -H, --header <n: v>     sent with every request; may be repeated
  --wait <ms>             how long to wait for pings (default 12000)
  --limits                tries a long address, and eight connections at the same time
  --ignore <fault>        no fault here, e.g. eventid; may be repeated
  --json                  tells the report as JSON
  -h, --help              this text
      --version           the version of this command

Ends with 0 when all is well, 1 when faults were found, 2 when it was not understood.
`

/** The command was not understood. */
export class UsageError extends Error {}

const options = {
  channel: { type: 'string', short: 'c' },
  publish: { type: 'string' },
  modes: { type: 'string' },
  server: { type: 'string', default: 'push-stream' },
  location: { type: 'string' },
  websocket: { type: 'string' },
  eventsource: { type: 'string' },
  longpolling: { type: 'string' },
  stream: { type: 'string' },
  'by-argument': { type: 'string' },
  template: { type: 'string' },
  origin: { type: 'string' },
  credentials: { type: 'boolean', default: false },
  header: { type: 'string', short: 'H', multiple: true },
  wait: { type: 'string' },
  limits: { type: 'boolean', default: false },
  ignore: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', default: false },
} as const

/** What a command line says. */
export function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw explained(error, options)
  }
}

export type Parsed = ReturnType<typeof parsed>

export function version(): string {
  return (createRequire(import.meta.url)('../package.json') as { version: string }).version
}

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? []
      if (name === undefined) throw new UsageError(`--header wants 'Name: value', not '${line}'.`)
      return [name, value as string]
    }),
  )
}

function oneOf<T extends string>(option: string, word: string, words: readonly T[]): T {
  const found = words.find((one) => one === word)
  if (found === undefined) {
    throw new UsageError(`--${option} is one of ${words.join(', ')}, not '${word}'.${question(word, words)}`)
  }
  return found
}

function addressOf(option: string, text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new UsageError(`${option} is an address that begins with http: or https:, not '${text}'.`)
  }
  return text
}

function waitOf(text: string): number {
  // More than that, and timers fire at once.
  if (!/^\d+$/.test(text) || Number(text) > 2 ** 31 - 1) {
    throw new UsageError(`--wait is a number of milliseconds, not '${text}'.`)
  }
  return Number(text)
}

const modeNames: readonly ModeName[] = ['websocket', 'eventsource', 'stream', 'longpolling']

/** How the server is set up. */
function serverOf({ values }: Parsed): DiagnoseOptions {
  const { server, location, template } = values
  const own = ['websocket', 'eventsource', 'longpolling', 'stream', 'by-argument', 'template'] as const
  if (oneOf('server', server, ['push-stream', 'nchan']) === 'nchan') {
    const foreign = own.find((name) => values[name] !== undefined)
    if (foreign) throw new UsageError(`--${foreign} is for the push stream module. Nchan has --location.`)
    return { protocol: nchan(location === undefined ? {} : { url: location }) }
  }
  if (location !== undefined) throw new UsageError('--location is for --server nchan.')
  const prefixes = {
    urlPrefixWebsocket: values.websocket,
    urlPrefixEventsource: values.eventsource,
    urlPrefixLongpolling: values.longpolling,
    urlPrefixStream: values.stream,
  }
  return {
    ...Object.fromEntries(Object.entries(prefixes).filter(([, path]) => path !== undefined)),
    ...(values['by-argument'] !== undefined && { channelsByArgument: true, channelsArgument: values['by-argument'] }),
    ...(template !== undefined && { messageTemplate: messageTemplate(template) }),
  }
}

/** What to diagnose. */
export function planOf(given: Parsed): DiagnoseOptions & { url: string } {
  const { values, positionals } = given
  const [url, ...more] = positionals
  if (url === undefined) throw new UsageError('Which server? Give its address.')
  if (more.length > 0) throw new UsageError(`One address, not also ${more.map((one) => `'${one}'`).join(', ')}.`)
  const { channel, publish, modes, origin, wait } = values
  return {
    ...serverOf(given),
    url: addressOf('<url>', url),
    limits: values.limits,
    headers: headersOf(values.header ?? []),
    ignore: (values.ignore ?? []).map((one): Fault => oneOf('ignore', one, faults)),
    ...(channel !== undefined && { channel }),
    ...(publish !== undefined && { publish: addressOf('--publish', publish) }),
    ...(modes !== undefined && { modes: modes.split(/[|,]/).map((one) => oneOf('modes', one, modeNames)) }),
    ...(origin !== undefined && { origin: new URL(addressOf('--origin', origin)).origin }),
    ...(values.credentials && { credentials: 'include' }),
    ...(wait !== undefined && { wait: waitOf(wait) }),
  }
}
