// Serves the pages of an example without a back end, and the development server in place of nginx.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { createDevServer } from '@pushstream/devserver'
import { root } from './workspace.mjs'

const [folder, port] = process.argv.slice(2)
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript' }
// JSON stands in its frames as it is.
const messageTemplate = '{"id":~id~,"channel":"~channel~","text":~text~,"tag":"~tag~","time":"~time~"}'
const push = createDevServer({ settings: { messageTemplate } })

const server = createServer(async (request, response) => {
  if (push.handler(request, response)) return
  const { pathname } = new URL(request.url, 'http://example')
  const [, script] = /^\/js\/([\w.-]+)$/.exec(pathname) ?? []
  const page = pathname === '/' ? 'index.html' : pathname.slice(1)
  const file = script ? join(root, 'packages/core/dist', script) : join(folder, 'public', page)
  const content = /^[\w.-]+$/.test(script ?? page) && (await readFile(file).catch(() => undefined))
  response.writeHead(content ? 200 : 404, { 'Content-Type': types[extname(file)] ?? 'text/plain' })
  response.end(content || 'not found')
})
server.on('upgrade', (request, socket, head) => push.upgrade(request, socket, head) || socket.destroy())
server.listen(Number(port), '127.0.0.1')
