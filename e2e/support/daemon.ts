import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { StringDecoder } from 'node:string_decoder'

/** A program in the foreground, and its output. */
export class Daemon {
  readonly pid: number
  readonly lines: string[] = []
  /** Fulfilled when the program and its child processes have ended. */
  readonly gone: Promise<void>
  readonly #child: ChildProcess
  readonly #listeners = new Set<() => void>()
  #ended: string | undefined

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child
    this.pid = pid
    // Not `exit`: the pipes are closed when the last process that has them has ended.
    this.gone = once(child, 'close').then(() => undefined)
    child.once('exit', (code, signal) => {
      this.#ended = `it ended with ${signal ?? code}`
      this.#changed()
    })
    for (const stream of [child.stdout, child.stderr]) this.#read(stream as NonNullable<typeof stream>)
  }

  /** `env`: default the path alone, as a server must not get the variables of npm and test runners. */
  static async start(
    file: string,
    args: readonly string[],
    { env = { PATH: process.env.PATH }, cwd }: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
  ): Promise<Daemon> {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env, cwd })
    await once(child, 'spawn')
    guard(child)
    return new Daemon(child, child.pid as number)
  }

  get running(): boolean {
    return this.#ended === undefined
  }

  #read(stream: NodeJS.ReadableStream): void {
    const decoder = new StringDecoder()
    let rest = ''
    stream.on('data', (piece: Buffer) => {
      const lines = (rest + decoder.write(piece)).split('\n')
      rest = lines.pop() as string
      this.lines.push(...lines)
      this.#changed()
    })
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  /** Waits for something in the output. Fails if the program ends before, or after a timeout. */
  until(what: string, holds: (lines: readonly string[]) => boolean, timeout = 20_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        stop()
        reject(
          new Error(`${this.#child.spawnfile}: waited for ${what}, but ${why}.\n${this.lines.slice(-30).join('\n')}`),
        )
      }
      const timer = setTimeout(() => fail(`it did not come within ${timeout} ms`), timeout)
      const look = () => {
        if (holds(this.lines)) {
          stop()
          resolve()
        } else if (this.#ended !== undefined) {
          // Its last output may not have arrived yet.
          const ended = this.#ended
          void this.gone.then(() => {
            if (!holds(this.lines)) return fail(ended)
            stop()
            resolve()
          })
        }
      }
      const stop = () => {
        clearTimeout(timer)
        this.#listeners.delete(look)
      }
      this.#listeners.add(look)
      look()
    })
  }

  /** Types a line. */
  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal)
  }
}

/** Ends the program when this process has ended for any reason, because no one else could then. */
function guard(child: ChildProcess): void {
  const script = `trap '' INT TERM HUP; read -r line; kill -TERM ${child.pid} 2>/dev/null`
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] })
  shell.unref()
  shell.once('error', () => {})
  // Its process id may soon be that of another process.
  child.once('exit', () => shell.kill('SIGKILL'))
}

/** Waits until a server accepts connections on the port. */
export async function accepting(port: number, stillThere: () => boolean): Promise<void> {
  while (!(await accepts(port))) {
    if (!stillThere()) throw new Error(`no server listens on port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
