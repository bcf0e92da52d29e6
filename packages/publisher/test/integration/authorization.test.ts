import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort } from '@pushstream/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Guide } from '../../../../e2e/support/guide.js'
import { missingNginx, pushStreamModule } from '../../../../e2e/support/nginx.js'
import { type NginxGuide, startGuide } from '../../../../e2e/support/nginx-guide.js'
import { lacking, missingProgram } from '../../../../e2e/support/programs.js'
import { attacks } from '../support/addresses.js'
import { type Asked, ask as askServer, using } from '../support/asking.js'
import { type BackEnd, samples, startExample } from '../support/back-ends.js'

// docs/guides/authorization.md as it is written: its configuration, its samples in four languages, and the table of
// requests, which each sample answers.

const name = 'guides/authorization'
const open = () => Guide.open(name, { changes: () => [] })

/** As a site is called behind nginx, which is not how nginx calls the application. */
const ask = (server: string, path: string, asked: Asked = {}) =>
  askServer(server, path, { ...asked, headers: { Host: 'www.example.org', ...asked.headers } })

const cookieOf = (user: string): Record<string, string> => (user === '' ? {} : { Cookie: `a=b; session=${user}` })

/** A subscription through nginx. */
const subscribe = ({ nginx }: NginxGuide, path: string, user: string) =>
  ask(`127.0.0.1:${nginx.port}`, path, { headers: { Accept: 'text/event-stream', ...cookieOf(user) } })

interface Row {
  readonly uri: string
  readonly user: string
  readonly status: number
}

/** The table of the guide. */
async function rowsOfGuide(): Promise<Row[]> {
  const guide = await open()
  await guide.close()
  const cell = (text = '') => text.trim().replace(/^`(.*)`$/, '$1')
  return guide.text
    .split('\n')
    .map((line) => line.split('|').map(cell))
    .filter(([, , , status = '']) => /^(204|401|403)$/.test(status))
    .map(([, uri = '', user = '', status]) => ({ uri, user, status: Number(status) }))
}
const rows = await rowsOfGuide()
const described = ({ uri, user }: Row) => `${uri || 'no header'}, ${user || 'no session'}`
const answersTo = async (asked: readonly Row[], answer: (row: Row) => Promise<number>) =>
  Object.fromEntries(await Promise.all(asked.map(async (row) => [described(row), await answer(row)])))
const expected = (asked: readonly Row[], status = (row: Row) => row.status) =>
  Object.fromEntries(asked.map((row) => [described(row), status(row)]))

/** nginx with the configuration of the guide, which asks this application. */
const startNchan = (address: string) => startGuide(name, 'Nchan', { changes: [['127.0.0.1:9000', address]] })

/** The configuration for the push stream module, with what this guide adds to it. */
async function startModule(address: string): Promise<NginxGuide> {
  const guide = await open()
  await guide.close()
  const [may = ''] = /^ {4}location = \/may \{[^]*?^ {4}\}\n/m.exec(guide.file('/etc/nginx/nginx.conf')) ?? []
  expect(may).toContain('127.0.0.1:9000')
  const loaded = pushStreamModule() === undefined ? 'development server' : 'module'
  return startGuide('start/push-stream', loaded, {
    adjust: (config) =>
      config
        .replace(/ {4}location = \/pub/, () => `${may.replace('127.0.0.1:9000', address)}\n    location = /pub`)
        .replace(/push_stream_subscriber /g, 'auth_request /may;\n      $&'),
  })
}

test('the table of the guide → has requests of each kind for both servers', () => {
  const kinds = new Set(rows.map(({ uri, status }) => `${uri.slice(0, 4)} ${status}`))
  expect([...kinds]).toEqual(
    expect.arrayContaining(['/sub 204', '/sub 401', '/sub 403', '/ev/ 204', '/ev/ 401', '/ev/ 403', ' 403']),
  )
})

for (const { language, missing, start } of samples) {
  describe.skipIf(lacking(missing) !== undefined)(`the sample for ${language}`, () => {
    let guide: Guide
    let forNchan: BackEnd
    let forModule: BackEnd
    beforeAll(async () => {
      guide = await open()
      forNchan = await start(guide, true)
      forModule = await start(guide, false)
    })
    afterAll(async () => {
      await forNchan?.close()
      await forModule?.close()
      await guide?.close()
    })
    const may = (uri: string, user: string, { address } = uri.startsWith('/ev') ? forModule : forNchan) =>
      ask(address, '/may', { headers: { ...cookieOf(user), ...(uri && { 'X-Original-URI': uri }) } })

    test('asked as nginx asks → answers like the table', async () => {
      expect(await answersTo(rows, ({ uri, user }) => may(uri, user))).toEqual(expected(rows))
    })

    test('a name that is allowed, but encoded → read by Node alone, as the guide says', async () => {
      const status = language === 'Node' ? 204 : 403
      for (const uri of ['/sub/user-%34%32', '/ev/user-%2534%2532']) expect(await may(uri, '42'), uri).toBe(status)
    })

    test('any other spelling of a name that is not allowed → 403', async () => {
      // The samples read the names in the path. It is nginx that does not look at the query.
      const spellings = attacks('user-43', 'user-42')
        .filter((uri) => !/channels=/i.test(uri) && !/^\/ev\/user-42(\?|$)/.test(uri))
        .filter((_, i) => i % 7 === 0)
      expect(spellings.length).toBeGreaterThan(200)
      const through: string[] = []
      const next = spellings.values()
      const asking = async () => {
        for (const uri of next) if ((await may(uri, '42')) !== 403) through.push(uri)
      }
      await Promise.all([asking(), asking(), asking(), asking()])
      expect(through).toEqual([])
    }, 60_000)

    const throughNginx = async (nginx: NginxGuide, location: string) => {
      const asked = rows.filter(({ uri }) => uri.startsWith(location))
      const answers = await answersTo(asked, ({ uri, user }) => subscribe(nginx, uri, user))
      expect(answers).toEqual(expected(asked, ({ status }) => (status === 204 ? 200 : status)))
      expect(nginx.nginx.crashes).toEqual([])
    }

    test.skipIf(lacking(missingNginx('nchan')) !== undefined)('nginx with Nchan → answers like the table', () =>
      using(startNchan(forNchan.address), (nginx) => throughNginx(nginx, '/sub/')),
    )

    test.skipIf(lacking(missingNginx('proxy')) !== undefined)(
      'nginx with the push stream module → answers like the table',
      () => using(startModule(forModule.address), (nginx) => throughNginx(nginx, '/ev/')),
    )
  })
}

/** Percent-encoded, though nothing needs it. */
const encoded = (text: string) => text.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`)

for (const name of ['django', 'php'] as const) {
  test.skipIf(lacking(missingProgram(name)) !== undefined)(
    `examples/${name}, asked as nginx asks → like the table`,
    () =>
      using(startExample(name), async ({ address, cookie, channel, foreign }) => {
        const named = (uri: string) =>
          uri
            .replaceAll('user-42', channel)
            .replaceAll('user-43', foreign)
            .replaceAll('%34%33', encoded(foreign.replace('user-', '')))
        // They have no channel for all, and are for Nchan.
        const asked = rows.filter(({ uri }) => uri === '' || uri.startsWith('/sub/user-'))
        expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([204, 401, 403]))
        const answers = await answersTo(asked, ({ uri, user }) => {
          const headers = { ...(user && { Cookie: cookie }), ...(uri && { 'X-Original-URI': named(uri) }) }
          return ask(address, '/may', { headers: { ...headers, Host: address } })
        })
        expect(answers).toEqual(expected(asked))
      }),
  )
}

describe.skipIf(lacking(missingNginx('nchan')) !== undefined)('the configuration of the guide', () => {
  /** Answers with the status in the address that the page asked for. */
  async function startAnswering(): Promise<BackEnd> {
    const server = createServer(({ headers }, response) => {
      const status = Number(/\d+$/.exec(String(headers['x-original-uri']))?.[0])
      response.writeHead(status, status < 400 ? { Location: '/login' } : {}).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      async close() {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      },
    }
  }
  const statuses = [200, 204, 301, 302, 303, 307, 400, 401, 403, 404, 500, 503]
  const answers = async (nginx: NginxGuide) =>
    Promise.all(statuses.map(async (status) => [status, await subscribe(nginx, `/sub/s${status}`, '42')]))

  test('each answer of the application → what the guide says', () =>
    using(startAnswering(), ({ address }) =>
      using(startNchan(address), async (nginx) => {
        const status = (answer: number) => (answer < 300 ? 200 : answer === 401 || answer === 403 ? answer : 500)
        expect(await answers(nginx)).toEqual(statuses.map((answer) => [answer, status(answer)]))
      }),
    ))

  test('nchan_authorize_request in its place → a redirect is a yes, as the guide says', () =>
    using(startAnswering(), ({ address }) => {
      const changes = [
        ['127.0.0.1:9000', address],
        ['auth_request /may;', 'nchan_authorize_request /may;'],
      ] as const
      return using(startGuide(name, 'Nchan', { changes }), async (nginx) => {
        expect(await answers(nginx)).toEqual(statuses.map((answer) => [answer, answer < 400 ? 200 : answer]))
      })
    }))

  test('no application; a page that asks in place of nginx; a publisher elsewhere → refused', async () => {
    await using(startNchan(`127.0.0.1:${await freePort()}`), async (nginx) => {
      const address = `127.0.0.1:${nginx.nginx.port}`
      expect(await subscribe(nginx, '/sub/news', '42')).toBe(500)
      expect(await ask(address, '/may')).toBe(404)
      const publish = (from: string) => ask(address, '/pub/news', { method: 'POST', from, body: 'x' })
      expect(await publish('127.0.0.1')).toBe(202)
      expect(await publish('127.0.0.2')).toBe(403)
    })
  })
})
