import { diagnose, formatReport } from '@pushstream/core/diagnose'
import { HELP, parsed, planOf, UsageError, version } from './command-line.js'
import { httpVersion, websocketFor } from './node.js'

/** Where the command writes. */
export interface Io {
  stdout(text: string): void
  stderr(text: string): void
}

/** Without what a terminal would obey: a server may say anything. */
const shown = (text: string) =>
  text.replace(/(?!\n)\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Runs the command. Resolves with its exit code: 0 if all is well, 1 if faults were found, 2 if it was not understood. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    const given = parsed(args)
    if (given.values.help || given.values.version) {
      io.stdout(given.values.help ? HELP : `${version()}\n`)
      return 0
    }
    const plan = planOf(given)
    const headers = plan.headers as Record<string, string>
    const environment = { WebSocket: websocketFor(plan.origin, headers) }
    const report = await diagnose({ ...plan, environment, httpVersion })
    io.stdout(shown(given.values.json ? `${JSON.stringify(report, undefined, 2)}\n` : formatReport(report)))
    return report.ok ? 0 : 1
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string }
    const usage = error instanceof UsageError || /^(ERR_PARSE_ARGS|bad-)/.test(code)
    if (!usage) throw error
    io.stderr(`pushstream-doctor: ${shown(message)}\nTry --help.\n`)
    return 2
  }
}
