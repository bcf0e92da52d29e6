// npm itself, against a registry that this test serves.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'

const program = new URL('../release/registry.mjs', import.meta.url).href
const folder = mkdtempSync(join(tmpdir(), 'pushstream-registry-'))
const requests: string[] = []
const bodies: string[] = []
let status = 200
const server = createServer(async (request, response) => {
  requests.push(`${request.method} ${request.url}`)
  let body = ''
  for await (const piece of request) body += piece
  if (request.method === 'PUT') bodies.push(body)
  const versions = { '1.0.0': { name: '@pushstream/a', version: '1.0.0', dist: {} } }
  response.writeHead(request.method === 'PUT' ? 201 : status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ name: '@pushstream/a', 'dist-tags': { latest: '1.0.0' }, versions }))
})

beforeEach(async () => {
  status = 200
  requests.length = 0
  bodies.length = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the function says, in a process of its own: it waits for npm, which waits for this process. */
async function call(code: string) {
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = join(folder, 'npmrc')
  writeFileSync(
    config,
    `registry=http://${host}/\n//${host}/:_authToken=test\nfetch-retries=0\ncache=${join(folder, 'cache')}\n`,
  )
  const run = `const registry = await import('${program}'); console.log(JSON.stringify(${code}) ?? 'done')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', run], {
    env: { ...process.env, NPM_CONFIG_USERCONFIG: config, npm_config_registry: `http://${host}/` },
  })
  let said = ''
  child.stdout.on('data', (piece) => (said += piece))
  child.stderr.on('data', (piece) => (said += piece))
  await new Promise((resolve) => child.once('close', resolve))
  return said.trim()
}

test('a version that the registry has → true', async () => {
  expect(await call("registry.has('@pushstream/a', '1.0.0')")).toBe('true')
})

test('a version that the registry lacks → false', async () => {
  expect(await call("registry.has('@pushstream/a', '2.0.0')")).toBe('false')
})

test('a package that the registry lacks → false', async () => {
  status = 404
  expect(await call("registry.has('@pushstream/a', '1.0.0')")).toBe('false')
})

test('a registry that fails → an error, and not false', async () => {
  status = 500
  expect(await call("registry.has('@pushstream/a', '1.0.0')")).toContain('npm view @pushstream/a failed')
})

test('send → publishes the tarball, public, with the tag', async () => {
  const manifest = { name: '@pushstream/a', version: '2.0.0-beta.1' }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  execFileSync('npm', ['pack', '--ignore-scripts'], { cwd: folder, stdio: 'ignore' })
  const tarball = join(folder, 'pushstream-a-2.0.0-beta.1.tgz')
  expect(await call(`registry.send(${JSON.stringify(tarball)}, 'beta')`)).toContain('done')
  expect(requests).toContain('PUT /@pushstream%2fa')
  expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ access: 'public', 'dist-tags': { beta: '2.0.0-beta.1' } })
})
