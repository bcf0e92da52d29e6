import { run } from './run.js'

const result = await run(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
})
if ('code' in result) process.exitCode = result.code
else for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void result.server.close())
