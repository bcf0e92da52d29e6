import { spawn } from 'node:child_process'
import { root } from './workspace.mjs'

const LAST_LINES = 60
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Each ends a run that is under way, with all that it started. */
const running = new Set()

function stop() {
  for (const end of running) end('SIGKILL')
  process.exit(130)
}

/**
 * Runs Node with these arguments. Everything it starts is in a process group of its own, so that nothing of it is left
 * when it is ended. Resolves with its exit code and the last lines it printed. `quiet`: prints nothing itself. `later`: all
 * that it printed is printed when it is over.
 */
export function execute(args, { env = process.env, limitMinutes = 20, later = false, quiet = later } = {}) {
  const grouped = process.platform !== 'win32'
  const output = process.stdout.isTTY && !quiet ? 'inherit' : 'pipe'
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: [quiet ? 'ignore' : 'inherit', output, output],
      env,
      detached: grouped,
    })
    let last = ''
    let all = ''
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      // Text, so that no character is cut in two.
      from?.setEncoding('utf8').on('data', (piece) => {
        if (!quiet) to.write(piece)
        if (later) all += piece
        last = (last + piece).slice(-100_000)
      })
    }
    const end = (signal) => {
      try {
        process.kill(grouped ? -child.pid : child.pid, signal)
      } catch {
        // Nothing of it is left.
      }
    }
    running.add(end)
    const limit = setTimeout(() => {
      console.error(`It did not end within ${limitMinutes} minutes and was killed.`)
      end('SIGKILL')
    }, limitMinutes * 60_000)
    const done = (code) => {
      clearTimeout(limit)
      running.delete(end)
      if (running.size === 0) for (const signal of signals) process.off(signal, stop)
      process.stdout.write(all)
      all = ''
      resolve({ code: code ?? 1, last: last.trimEnd().split('\n').slice(-LAST_LINES).join('\n') })
    }
    if (running.size === 1) for (const signal of signals) process.on(signal, stop)
    child.once('error', (error) => {
      console.error(error.message)
      done(1)
    })
    // Its last words may come after its exit. A process that still has its output open is not waited for.
    child.once('exit', (code) => {
      const soon = setTimeout(done, 2_000, code)
      child.once('close', () => {
        clearTimeout(soon)
        done(code)
      })
    })
  })
}
