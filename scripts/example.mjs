// npm run example -- <name>: starts one of examples/, and prints its address. Ctrl-C ends all of it.
//
//   PORT  the port, default 8000, or any that is free if that is taken
//   --devserver  the development server in place of nginx, where the example can do with it
//
// Type `stop` and Enter to stop the push server, and `start` to start it again: the page goes on.
import './node-version.mjs'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ensureBuilt } from './built.mjs'
import { examples } from './examples.mjs'
import { installPackages } from './npm-packages.mjs'
import { freePort, temporaryPaths } from './servers.mjs'
import { find, howToInstall } from './system.mjs'
import { root } from './workspace.mjs'

const [name, option] = process.argv.slice(2)
const example = Object.hasOwn(examples, name) ? examples[name] : undefined
if (example === undefined) {
  console.error(`npm run example -- <name>, where the name is one of: ${Object.keys(examples).join(', ')}.`)
  process.exit(1)
}
const folder = join(root, 'examples', name)
const missing = ['nginx', 'nchan', ...(example.programs ?? [])].filter((program) => find(program) === undefined)
const without = example.withoutNginx !== undefined && (missing.length > 0 || option === '--devserver')
const withNginx = existsSync(join(folder, 'nginx.conf')) && !without
const lacking = withNginx ? missing : missing.filter((program) => example.programs?.includes(program))
if (lacking.length > 0) {
  console.error(`This example needs ${lacking.join(', ')}: ${howToInstall(lacking)}`)
  process.exit(1)
}
const lack = example.lacks?.()
if (lack !== undefined) {
  console.error(`This example needs ${lack}.`)
  process.exit(1)
}
installPackages()
if (!ensureBuilt(example.packages)) process.exit(1)

async function accepts(port) {
  const socket = connect(port, '127.0.0.1')
  const accepted = await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => [])
  socket.destroy()
  return accepted.length === 0 && !socket.errored
}

const port = await freePort(Number(process.env.PORT || 8000))
/** The ports that stand in the configurations of the examples, and those that are used here. */
const ports = { 8080: port, 9080: await freePort(), 3000: withNginx ? await freePort() : port }

/** What the example writes is here, and goes when it ends. */
const dir = mkdtempSync(join(tmpdir(), 'pushstream-example-'))

/** A configuration that includes the one of the example, with other ports and paths. */
function configureNginx() {
  const site = readFileSync(join(folder, 'nginx.conf'), 'utf8')
    .replace(/listen (8080|9080);/g, 'listen 127.0.0.1:$1;')
    .replace(/\b(8080|9080|3000)\b/g, (number) => ports[number])
    .replaceAll('/var/www/example/node_modules', join(root, 'node_modules'))
    .replaceAll('/var/www/example', folder)
  writeFileSync(join(dir, 'site.conf'), site)
  // What Debian's /etc/nginx/nginx.conf has. If the master is root, its workers run as another user, who may not read this.
  const main = `load_module ${find('nchan')};
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr error;
events {}
http {
  types { text/html html; text/css css; text/javascript js; }
  default_type application/octet-stream;
  access_log off;
  ${temporaryPaths(dir)}
  include site.conf;
}
`
  writeFileSync(join(dir, 'nginx.conf'), main)
}

const environment = {
  ...process.env,
  PORT: `${ports[3000]}`,
  PUSH_URL: `http://127.0.0.1:${ports[9080]}`,
  DATA_DIR: dir,
  PYTHONDONTWRITEBYTECODE: '1',
}

const how = { cwd: folder, env: environment, stdio: ['ignore', 'ignore', 'inherit'] }

class Program {
  #child
  /** Ctrl-C in a terminal ends it without being asked. */
  #gone
  #wanted = false

  constructor(title, port, file, args) {
    Object.assign(this, { title, port, file, args })
  }

  async start() {
    if (this.#wanted) return
    this.#wanted = true
    const child = spawn(this.file, this.args, how)
    this.#child = child
    this.#gone = new Promise((resolve) => child.once('close', resolve))
    child.once('error', (error) => fail(`${this.title} could not be started: ${error.message}`))
    child.once('exit', (code, signal) => this.#wanted && fail(`${this.title} ended with ${code ?? signal}.`))
    while (this.#wanted && !(await accepts(this.port))) await new Promise((resolve) => setTimeout(resolve, 50))
  }

  async stop() {
    if (!this.#wanted) return
    this.#wanted = false
    this.#child.kill('SIGTERM')
    // Some wait for their last connection.
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 3000)
    await this.#gone
    clearTimeout(timer)
  }
}

if (withNginx) configureNginx()
const programs = []
if (example.start !== undefined) {
  const [file, ...args] = example.start(ports[3000])
  programs.push(new Program(withNginx ? 'the application' : 'Vite', ports[3000], file, args))
} else if (!withNginx) {
  const args = [join(root, 'scripts/example-devserver.mjs'), folder, `${port}`]
  programs.push(new Program('the development server', port, process.execPath, args))
}
if (withNginx) programs.push(new Program('nginx', port, find('nginx'), ['-p', dir, '-e', 'stderr', '-c', 'nginx.conf']))

let ending = false
async function end(code) {
  if (ending) return
  ending = true
  for (const program of programs.toReversed()) await program.stop()
  rmSync(dir, { recursive: true, force: true })
  process.exit(code)
}

function fail(why) {
  if (!ending) console.error(why)
  void end(1)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(0))
if (example.prepare !== undefined) {
  const [file, ...args] = example.prepare()
  if (spawnSync(file, args, how).status !== 0) fail('The application could not be prepared.')
}
for (const program of programs) await program.start()

const query = withNginx ? '' : (example.withoutNginx ?? '')
console.log(`
  ${name}   http://127.0.0.1:${port}/${query}

  Push server: ${programs.at(-1).title}. Type stop or start and Enter to stop it and start it again. Ctrl-C ends all.
  What to look at: examples/${name}/README.md
`)

for await (const line of createInterface({ input: process.stdin })) {
  const server = programs.at(-1)
  if (line === 'stop') await server.stop()
  else if (line === 'start') await server.start()
  else continue
  console.log(`  ${server.title}: ${line === 'stop' ? 'stopped' : 'started'}`)
}
