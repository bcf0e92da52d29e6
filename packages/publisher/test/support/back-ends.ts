import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@pushstream/testkit'
import ts from 'typescript'
import { accepting, Daemon } from '../../../../e2e/support/daemon.js'
import type { Guide } from '../../../../e2e/support/guide.js'
import { missingProgram, program } from '../../../../e2e/support/programs.js'
import { createAuthorizer } from '../../src/auth.js'

/** An application of docs/guides/authorization.md. The cookie `session=42` is that of the user 42. */
export interface BackEnd {
  /** `127.0.0.1:port` */
  readonly address: string
  close(): Promise<void>
}

export interface Sample {
  readonly language: string
  readonly missing: string | undefined
  /** `nchan`: for Nchan, not for the push stream module. */
  start(guide: Guide, nchan: boolean): Promise<BackEnd>
}

/** Runs a program in the guide's folder. */
async function serve(guide: Guide, file: string, args: (port: number) => string[]): Promise<BackEnd> {
  const port = await freePort()
  const daemon = await Daemon.start(file, args(port), { cwd: guide.folder })
  await accepting(port, () => daemon.running).catch((error: Error) => {
    throw new Error(`${error.message}\n${daemon.lines.join('\n')}`)
  })
  return {
    address: `127.0.0.1:${port}`,
    async close() {
      daemon.signal('SIGKILL')
      await daemon.gone
    },
  }
}

async function write(guide: Guide, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(guide.folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
}

async function startNode(guide: Guide, nchan: boolean): Promise<BackEnd> {
  const written = guide.file('may.ts')
  const forModule = written.replace(/^ {2}server: 'nchan', \/\/ leave this out for the push stream module\n/m, '')
  if (forModule === written) throw new Error('the sample for Node does not say what to leave out')
  const port = await freePort()
  const code = (nchan ? written : forModule).replace('listen(9000', `listen(${port}`).replace(/^import .*$/gm, '')
  const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ESNext } })
  const servers: Server[] = []
  const create: typeof createServer = (...args: unknown[]) => {
    const server = (createServer as (...all: unknown[]) => Server)(...args)
    servers.push(server)
    return server
  }
  new Function('createServer', 'createAuthorizer', outputText)(create, createAuthorizer)
  await accepting(port, () => servers.length > 0)
  return {
    address: `127.0.0.1:${port}`,
    async close() {
      for (const server of servers) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

async function startDjango(guide: Guide): Promise<BackEnd> {
  await write(guide, {
    'office/__init__.py': '',
    'office/views.py': guide.file('views.py'),
    'office/urls.py': guide.file('urls.py'),
    'office/login.py': `from types import SimpleNamespace
from django.contrib.auth.models import AnonymousUser

def sign_in(get_response):
    def middleware(request):
        user = request.COOKIES.get("session")
        request.user = SimpleNamespace(pk=int(user), is_authenticated=True) if user else AnonymousUser()
        return get_response(request)
    return middleware
`,
    'serve.py': `import sys
from wsgiref.simple_server import make_server
from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.configure(
    ROOT_URLCONF="office.urls",
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["www.example.org"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "office.login.sign_in"],
)
make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application()).serve_forever()
`,
  })
  return serve(guide, program('django') as string, (port) => ['serve.py', `${port}`])
}

async function startRails(guide: Guide): Promise<BackEnd> {
  await write(guide, {
    'controller.rb': guide.file('app/controllers/subscriptions_controller.rb'),
    'routes.rb': guide.file('config/routes.rb'),
    'serve.rb': `require "action_controller"
require "webrick"

class ApplicationController < ActionController::Base
  User = Struct.new(:id)

  private

  def current_user
    request.cookies["session"]&.then { |id| User.new(Integer(id)) }
  end
end

Application = Struct.new(:routes).new(ActionDispatch::Routing::RouteSet.new)

module Rails
  def self.application = Application
end

require_relative "controller"
require_relative "routes"

server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: Integer(ARGV[0]), AccessLog: [])
server.mount_proc("/") do |request, response|
  headers = request.header.to_h { |name, values| ["HTTP_" + name.upcase.tr("-", "_"), values.join(", ")] }
  response.status, = Application.routes.call(Rack::MockRequest.env_for(request.unparsed_uri, headers))
end
server.start
`,
  })
  return serve(guide, program('rails') as string, (port) => ['serve.rb', `${port}`])
}

async function startPhp(guide: Guide): Promise<BackEnd> {
  await write(guide, { 'may.php': guide.file('may.php'), 'sessions/sess_42': 'user|s:2:"42";' })
  const settings = [`session.save_path=${join(guide.folder, 'sessions')}`, 'session.name=session']
  return serve(guide, program('php') as string, (port) => [
    ...settings.flatMap((setting) => ['-d', setting]),
    '-S',
    `127.0.0.1:${port}`,
    'may.php',
  ])
}

export const samples: readonly Sample[] = [
  { language: 'Node', missing: undefined, start: startNode },
  { language: 'Django', missing: missingProgram('django'), start: startDjango },
  { language: 'Rails', missing: missingProgram('rails'), start: startRails },
  { language: 'PHP', missing: missingProgram('php'), start: startPhp },
]

/** An example in which two users have signed in. */
export interface SignedIn extends BackEnd {
  readonly cookie: string
  readonly channel: string
  /** The channel of the other user. */
  readonly foreign: string
}

interface Examples {
  readonly examples: Record<string, { prepare?(): string[]; start(port: number): string[] }>
}

/** Starts the application of an example, without its nginx, and signs in. */
export async function startExample(name: string): Promise<SignedIn> {
  const { examples }: Examples = await import(new URL('../../../../scripts/examples.mjs', import.meta.url).href)
  const example = examples[name] as Examples['examples'][string]
  const data = await mkdtemp(join(tmpdir(), 'pushstream-example-'))
  const cwd = fileURLToPath(new URL(`../../../../examples/${name}`, import.meta.url))
  const env = { PATH: process.env.PATH, DATA_DIR: data, PYTHONDONTWRITEBYTECODE: '1' }
  const run = ([file = '', ...args]: string[]) => Daemon.start(file, args, { cwd, env })
  if (example.prepare) await (await run(example.prepare())).gone
  const port = await freePort()
  const daemon = await run(example.start(port))
  await accepting(port, () => daemon.running)
  const url = `http://127.0.0.1:${port}`
  const signIn = async (user: string) => {
    const cookies = new Map<string, string>()
    const ask = async (path: string, init: RequestInit = {}) => {
      const headers = { Cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') }
      const answer = await fetch(url + path, { ...init, headers, redirect: 'manual' })
      for (const line of answer.headers.getSetCookie()) {
        const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(key, value)
      }
      return answer.text()
    }
    await ask('/login')
    const token = cookies.get('csrftoken')
    const body = new URLSearchParams({ name: user, ...(token !== undefined && { csrfmiddlewaretoken: token }) })
    await ask('/login', { method: 'POST', body })
    const [, channel] = /data-channel="([^"]+)"/.exec(await ask('/')) ?? []
    if (channel === undefined) throw new Error(`${name}: ${user} could not sign in\n${daemon.lines.join('\n')}`)
    return { channel, cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') }
  }
  const [own, other] = [await signIn('Ada'), await signIn('Bob')]
  return {
    address: `127.0.0.1:${port}`,
    ...own,
    foreign: other.channel,
    async close() {
      daemon.signal('SIGKILL')
      await daemon.gone
      await rm(data, { recursive: true, force: true })
    },
  }
}
