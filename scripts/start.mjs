// npm start: the playground and the development server, on one port.
//
//   PORT  the port, default 8080        HOST  the address to listen on, default 127.0.0.1 (this machine only)
import './node-version.mjs'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from './npm-packages.mjs'
import { root } from './workspace.mjs'

function fail(message) {
  console.error(message)
  process.exit(1)
}

const port = Number(process.env.PORT || 8080)
const host = process.env.HOST || '127.0.0.1'
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  fail(`PORT takes a number from 1 to 65535, not '${process.env.PORT}'.`)
}

installPackages()

const { createServer } = await import('vite')

async function listen() {
  const configFile = ['ts', 'mjs', 'js'].map((end) => join(root, `playground/vite.config.${end}`)).find(existsSync)
  if (configFile === undefined) fail('There is no playground/vite.config.ts.')
  const server = await createServer({
    configFile,
    root: join(root, 'playground'),
    clearScreen: false,
    logLevel: 'warn',
    server: { port, host, strictPort: true, open: false },
  })
  try {
    return await server.listen()
  } catch (error) {
    await server.close()
    if (error.code === 'EADDRINUSE' || /already in use/.test(error.message)) {
      fail(`Port ${port} is taken. Give another one: PORT=${port < 65535 ? port + 1 : 8080} npm start`)
    }
    if (error.code === 'EACCES') fail(`Port ${port} is not for this user. Give one from 1024: PORT=8080 npm start`)
    if (/EADDRNOTAVAIL|ENOTFOUND/.test(error.code)) fail(`HOST=${host} is no address of this machine.`)
    throw error
  }
}

const server = await listen()

const everywhere = ['0.0.0.0', '::'].includes(host)
const shown = everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
const url = `http://${shown}:${port}`
console.log(`
  PushStream playground   ${url}/      the client, React, Vue, one script tag
  listening on            ${everywhere ? 'every address of this machine' : host}, port ${port}

  Publish from a shell:

    curl -d '{"type":"notification","text":"hello"}' '${url}/pub?id=user-42'

  Locations: /pub?id=…  /ws/…  /ev/…  /lp/…  /sub/…  /channels-stats     Ctrl-C ends it.
`)

let ending = false
async function end() {
  // The second time, or when a connection won't let go, it ends all the same.
  if (ending) process.exit(1)
  ending = true
  setTimeout(() => process.exit(0), 3000).unref()
  await server.close()
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end)
