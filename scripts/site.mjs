import { spawn } from 'node:child_process'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { npmCommand } from './npm-command.mjs'

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' }
const START_MS = 120_000

/**
 * A site as nginx serves it: one origin, the locations of push stream, and behind them files and an application, which
 * `application(origin)` starts. `printed()` is what that printed.
 */
export async function openSite({ files, application }) {
  const { createDevServer } = await import('@pushstream/devserver')
  const push = createDevServer()
  let port
  const front = createServer((asked, answer) => {
    if (push.handler(asked, answer)) return
    const file = files && fileOf(files, asked)
    if (file !== undefined) send(file, answer)
    else if (port !== undefined) forward(port, asked, answer)
    else answer.writeHead(404).end()
  })
  // What is not of push stream is the reloading of a development server.
  front.on('upgrade', (asked, socket, head) => {
    if (push.upgrade(asked, socket, head)) return
    if (port === undefined) socket.destroy()
    else tunnel(port, asked, socket, head)
  })
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${front.address().port}`
  let app
  const close = async () => {
    await app?.stop()
    front.closeAllConnections()
    front.close()
    await push.close()
  }
  try {
    if (application !== undefined) {
      app = await application(origin)
      port = app.port
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    origin,
    close,
    printed: () => app?.printed() ?? '',
    subscribers: () => Number(push.stats().subscribers),
  }
}

function fileOf(folder, { url }) {
  const path = join(folder, normalize(new URL(url, 'http://h').pathname))
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, 'index.html') : path
  return existsSync(file) ? file : undefined
}

function send(file, answer) {
  answer.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' })
  createReadStream(file).pipe(answer)
}

function forward(port, asked, answer) {
  const { method, url: path, headers } = asked
  const sent = request({ host: '127.0.0.1', port, method, path, headers }, (given) => {
    answer.writeHead(given.statusCode, given.rawHeaders)
    given.pipe(answer)
  })
  sent.on('error', () => answer.destroy())
  answer.on('close', () => sent.destroy())
  asked.pipe(sent)
}

function tunnel(port, { method, url, rawHeaders }, socket, head) {
  const upstream = connect(port, '127.0.0.1')
  const lines = [`${method} ${url} HTTP/1.1`]
  for (let n = 0; n < rawHeaders.length; n += 2) lines.push(`${rawHeaders[n]}: ${rawHeaders[n + 1]}`)
  upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
  upstream.write(head)
  socket.pipe(upstream).pipe(socket)
  socket.on('error', () => upstream.destroy())
  upstream.on('error', () => socket.destroy())
}

/**
 * Runs a script of an application's manifest until it listens. Everything that it starts is in a process group of its own,
 * so that nothing is left when it is stopped.
 */
export async function startApplication(folder, script, { command, env }) {
  const { freePort } = await import('@pushstream/testkit')
  const port = await freePort()
  // A server of its own reads the variable, a framework's command the argument.
  const argument = command.startsWith('node ') ? [] : ['--', '--port', String(port)]
  const { program, args, shell } = npmCommand('run', script, ...argument)
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...env, PORT: String(port), HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    shell,
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece) => {
      printed = (printed + piece).slice(-20_000)
    })
  }
  const ended = new Promise((resolve) => child.once('close', resolve))
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
  process.once('exit', end)
  const stop = async () => {
    end()
    process.off('exit', end)
    await ended
  }
  const until = Date.now() + START_MS
  while (!(await listens(port))) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop()
      throw new Error(`npm run ${script} does not listen:\n${printed}`)
    }
    await wait(200)
  }
  return { port, stop, printed: () => printed }
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
