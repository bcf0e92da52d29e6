import { run } from './run.js'

// Whoever read this has gone (`| head`).
process.stdout.on('error', () => process.exit())
process.exitCode = await run(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
})
