import { pause } from './aborts.js'
import type { Failed } from './batch.js'
import { commands, HELP, headersOf, number, parsed, UsageError, version } from './command-line.js'
import { PublisherError } from './errors.js'
import { linesOf, textsOf } from './input.js'
import { Publisher } from './publisher.js'
import { aborted } from './sender.js'
import { nchanServer, relayServer } from './servers/nchan.js'
import { pushStreamServer } from './servers/push-stream.js'
import type { ChannelStats, Server, ServerStats } from './servers/server.js'
import { question } from './suggestions.js'
import type { TemplateText } from './text.js'

/** Where a command reads and writes. */
export interface Io {
  stdout(text: string): void
  stderr(text: string): void
  /** The standard input. Asked for only where it is read. */
  stdin(): AsyncIterable<Uint8Array>
  env: Readonly<Record<string, string | undefined>>
  /** Ends it. */
  signal?: AbortSignal | undefined
}

/** Runs the command. Resolves with its exit code. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    return await perform(args, io)
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string }
    const usage = error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS') || code === 'bad-option'
    io.stderr(`pushstream-publish: ${message.split('\n').map(shown).join('\n')}\n${usage ? 'Try --help.\n' : ''}`)
    if (usage || code === 'bad-channel' || code === 'bad-data' || code === 'unsupported') return 2
    return error instanceof PublisherError && error.outcome === 'unknown' ? 3 : 1
  }
}

type Parsed = ReturnType<typeof parsed>

/** What the commands work with. */
interface Run extends Parsed {
  readonly io: Io
  readonly publisher: Publisher
  readonly channels: readonly string[]
}

async function perform(args: readonly string[], io: Io): Promise<number> {
  const given = parsed(args)
  const { command, values, positionals } = given
  if (values.help || values.version) {
    io.stdout(values.help ? HELP : `${version()}\n`)
    return 0
  }
  const channels = values.channel ?? []
  const url = values.url ?? io.env.PUSHSTREAM_URL
  if (url === undefined) throw new UsageError('Where is the server? Give --url, or set PUSHSTREAM_URL.')
  const publisher = new Publisher({
    url,
    server: serverOf(values),
    headers: headersOf(values.header ?? []),
    ...(values.timeout !== undefined && { timeout: number('timeout', values.timeout) }),
    ...(values.retries !== undefined && { retry: { attempts: number('retries', values.retries) } }),
  })
  const run: Run = { ...given, io, publisher, channels }
  if (command !== 'publish' && positionals.length > 0) {
    throw new UsageError(`'${command}' takes no message: ${positionals.join(' ')}`)
  }
  if (command === 'stats' || command === 'watch') return statistics(run)
  if (channels.length === 0) {
    const meant = command === 'publish' ? question(positionals[0] ?? '', commands) : ''
    throw new UsageError(`Which channel? Give --channel.${meant}`)
  }
  if (command === 'publish') return publish(run)
  return command === 'exists' ? exists(run) : change(run, command)
}

async function publish(run: Run): Promise<number> {
  const { io, values, positionals, publisher, channels } = run
  const { signal } = io
  if (positionals.length !== 1) {
    throw new UsageError(positionals.length === 0 ? 'What message? Give one, or -.' : 'One message: put it in quotes.')
  }
  if (values.lines && positionals[0] !== '-') throw new UsageError('--lines goes with -.')
  if (values.lines) return publishLines(run)
  let text = positionals[0] as string
  if (text === '-') {
    text = ''
    for await (const part of inputOf(run)) text += part
    if (signal?.aborted) throw aborted(channels, 'no', signal)
    text = text.replace(/\r?\n$/, '')
  }
  const options = { ...messageOf(run), signal }
  for (const one of await publisher.publish(channels, bodyOf(run, text), options)) tell(run, one)
  return 0
}

/** Every line of the standard input is a message, as soon as it is there. */
async function publishLines(run: Run): Promise<number> {
  const { io, values, publisher, channels } = run
  const { signal } = io
  const options = messageOf(run)
  let failures = 0
  let doubtful = false
  const onFailed = ({ message: one, error }: Failed<{ channel: string }>) => {
    doubtful ||= error.outcome === 'unknown'
    if (++failures <= 5) io.stderr(`${shown(`${one.channel}: ${error.message}`)}\n`)
  }
  const messages = async function* () {
    for await (const line of linesOf(inputOf(run))) {
      for (const channel of channels) yield { channel, data: bodyOf(run, line), options }
    }
  }
  const { published } = await publisher.publishAll(messages(), { signal, onFailed })
  if (failures > 5) io.stderr(`… and ${failures - 5} more\n`)
  if (!values.quiet) io.stdout(`${published} of ${published + failures} published\n`)
  return doubtful ? 3 : failures > 0 || signal?.aborted ? 1 : 0
}

const inputOf = ({ io }: Run) => textsOf(io.stdin(), io.signal, () => new UsageError('The standard input is no UTF-8.'))

const bodyOf = ({ values }: Run, text: string) => (values.text === 'raw' ? asJson(text) : text)

const messageOf = ({ values }: Run) => ({
  eventId: values['event-id'],
  eventType: values['event-type'],
  contentType: values['content-type'],
})

async function change({ io, values, publisher, channels }: Run, command: 'open' | 'delete'): Promise<number> {
  const { signal } = io
  for (const channel of channels) {
    const done =
      command === 'open' ? await publisher.open(channel, { signal }) : await publisher.delete(channel, { signal })
    const what = command === 'open' ? (done ? 'opened' : 'was open') : done ? 'deleted' : 'was not there'
    if (!values.quiet) io.stdout(`${shown(channel)}: ${what}\n`)
  }
  return 0
}

async function exists({ io, values, publisher, channels }: Run): Promise<number> {
  let all = true
  for (const channel of channels) {
    const there = await publisher.exists(channel, { signal: io.signal })
    all &&= there
    if (!values.quiet) io.stdout(`${shown(channel)}: ${there ? 'there' : 'not there'}\n`)
  }
  return all ? 0 : 1
}

async function statistics(run: Run): Promise<number> {
  const { command, values, channels } = run
  const told = [channels.length > 0, values.prefix !== undefined, values.all].filter(Boolean)
  if (told.length > 1) throw new UsageError('--channel, --prefix or --all: one of them.')
  const interval = values.interval === undefined ? 1000 : number('interval', values.interval)
  if (command === 'watch') await watch(run, interval)
  else await tellStats(run)
  return 0
}

async function tellStats(run: Run): Promise<void> {
  const { io, values, publisher, channels } = run
  const { signal } = io
  if (values.prefix !== undefined || values.all) {
    const which = values.prefix !== undefined ? { prefix: values.prefix } : ({ all: true } as const)
    for (const one of await publisher.stats(which, { signal })) tell(run, one)
  } else if (channels.length === 0) tell(run, await publisher.stats({ signal }))
  for (const channel of channels) tell(run, await publisher.stats(channel, { signal }), channel)
}

/** Statistics at intervals, until it is interrupted. It goes on where the server may come back. */
async function watch(run: Run, interval: number): Promise<void> {
  const { io } = run
  while (!io.signal?.aborted) {
    try {
      await tellStats(run)
    } catch (error) {
      if (io.signal?.aborted) break
      const passing =
        error instanceof PublisherError && ['unreachable', 'timeout', 'busy', 'server'].includes(error.code)
      if (!passing) throw error
      io.stderr(`${shown((error as Error).message)}\n`)
    }
    await pause(interval, io.signal)
  }
}

function tell({ io, values }: Run, one: ChannelStats | ServerStats | undefined, channel?: string): void {
  if (values.quiet) return
  io.stdout(`${shown(values.json ? JSON.stringify(one ?? { channel, there: false }) : words(one, channel))}\n`)
}

function serverOf(values: { server?: string; publisher?: string; statistics?: string; text?: string }): Server {
  const { server, statistics, text, publisher } = values
  const at = publisher === undefined ? {} : { publisher }
  if (server === 'push-stream') {
    return pushStreamServer({
      ...at,
      ...(statistics !== undefined && { statistics }),
      ...(text !== undefined && { text: text as TemplateText }),
    })
  }
  if (text !== undefined) throw new UsageError(`--text is for push-stream: nothing else has a template.`)
  if (server === 'nchan') return nchanServer({ ...at, ...(statistics !== undefined && { status: statistics }) })
  if (server === 'relay') return relayServer(at)
  const meant = question(server ?? '', ['push-stream', 'nchan', 'relay'])
  throw new UsageError(`--server is push-stream, nchan or relay, not '${server}'.${meant}`)
}

/** A template with raw texts wants JSON: what is that already stays so. */
function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function words(one: ChannelStats | ServerStats | undefined, channel: string | undefined): string {
  if (one === undefined) return `${channel}: not there`
  const { channel: name, channels, lastMessageId, ...numbers } = one as Partial<ChannelStats & ServerStats>
  const told = Object.entries({ ...(channels !== undefined && { channels }), ...numbers })
    .filter(([, value]) => value !== undefined)
    .map(([what, value]) => `${what} ${value}`)
  if (lastMessageId !== undefined) told.push(`last message ${lastMessageId}`)
  return `${name === undefined ? 'server' : name}: ${told.join(', ') || 'taken'}`
}

/** Without what a terminal would obey: pages give channels whatever names they like. */
const shown = (text: string) =>
  text.replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
