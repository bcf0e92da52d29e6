import { run } from './run.js'

const abort = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
// Whoever read this has gone (`| head`).
process.stdout.on('error', () => abort.abort())
process.stderr.on('error', () => {})
process.exitCode = await run(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  stdin() {
    // Else it is waited for, though nobody reads it any more.
    abort.signal.addEventListener('abort', () => process.stdin.destroy(), { once: true })
    return process.stdin
  },
  env: process.env,
  signal: abort.signal,
})
