import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { explained } from './suggestions.js'

export const HELP = `Usage: pushstream-publish --url <address> --channel <name> [options] <message>
       pushstream-publish open|exists|delete|stats|watch --url <address> [options]

Publishes to nginx-push-stream-module, Nchan, or a Basic HTTP Push Relay.

  <message>               a text or JSON; - reads it from the standard input
  --url <address>         where the server is (default: PUSHSTREAM_URL)
  -c, --channel <name>    may be repeated
  --server <name>         push-stream (default), nchan, relay
  --publisher <path>      the publisher's location, e.g. '/pub?id={channel}'
  --statistics <path>     the location of statistics, e.g. '/channels-stats?id={channel}'
  --text <how>            how the template has ~text~: quoted (default), raw, alone
  --event-id <id>         Event-Id, push stream module alone
  --event-type <type>     Event-Type; Nchan: X-EventSource-Event
  --content-type <type>   Content-Type of the message
  -H, --header <n: v>     sent with every request; may be repeated
  --lines                 with -: every line is a message, as soon as it is there
  --timeout <ms>          for an attempt (default 10000)
  --retries <n>           attempts after the first, where twice does no harm (default 8)
  --json                  tells what the server says as JSON, one line each
  -q, --quiet             tells nothing but errors
  -h, --help              this text
      --version           the version of this command

Commands:
  open, delete            makes channels, deletes them
  exists                  ends with 0 if all channels are there, else with 1
  stats                   of --channel, of --prefix <text>, of --all, or of the server
  watch                   the same every --interval <ms> (default 1000), until interrupted

Ends with 0 when all is done, 1 when something is not, 2 when it was not understood,
3 when nobody knows whether the server took it (publishing again may double).
`

export const commands = ['open', 'exists', 'delete', 'stats', 'watch'] as const
export type Command = (typeof commands)[number] | 'publish'

/** The command was not understood. */
export class UsageError extends Error {}

const options = {
  url: { type: 'string' },
  channel: { type: 'string', short: 'c', multiple: true },
  server: { type: 'string', default: 'push-stream' },
  publisher: { type: 'string' },
  statistics: { type: 'string' },
  text: { type: 'string' },
  'event-id': { type: 'string' },
  'event-type': { type: 'string' },
  'content-type': { type: 'string' },
  header: { type: 'string', short: 'H', multiple: true },
  lines: { type: 'boolean', default: false },
  timeout: { type: 'string' },
  retries: { type: 'string' },
  prefix: { type: 'string' },
  all: { type: 'boolean', default: false },
  interval: { type: 'string' },
  json: { type: 'boolean', default: false },
  quiet: { type: 'boolean', short: 'q', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', default: false },
} as const

/** What a command line says: which command, its options, and the words that are none. */
export function parsed(args: readonly string[]) {
  // A message may be such a word: a command is one only in the first place.
  const named = commands.find((one) => one === args[0])
  const command: Command = named ?? 'publish'
  try {
    return { command, ...parseArgs({ args: args.slice(named ? 1 : 0), options, allowPositionals: true }) }
  } catch (error) {
    throw explained(error, options)
  }
}

export function version(): string {
  return (createRequire(import.meta.url)('../package.json') as { version: string }).version
}

export function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers()
  for (const line of lines) {
    const [, name, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? []
    if (name === undefined) throw new UsageError(`--header wants 'Name: value', not '${line}'.`)
    try {
      headers.append(name, value as string)
    } catch {
      // Not its value: that may be a secret.
      throw new UsageError(`--header: '${name}' has a name or a value that can't be sent.`)
    }
  }
  return headers
}

export function number(name: string, value: string): number {
  // More than that, and timers fire at once.
  if (!/^\d+$/.test(value) || Number(value) > 2 ** 31 - 1) {
    throw new UsageError(`--${name} is a whole number to ${2 ** 31 - 1}, not '${value}'.`)
  }
  return Number(value)
}
