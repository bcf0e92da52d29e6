import { createAuthorizer } from '@pushstream/publisher/auth'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_LOCATIONS, resolveLocations } from '../../../devserver/src/location.js'
import { route } from '../../../devserver/src/requests.js'
import { attacks, uri } from '../support/addresses.js'

const mine = new Set(['global', 'user-42', 'a b', 'é😀', '100%', 'x.b5', 'quo"te', 'a+b', '\ufeffmark', '%41'])
const auth = createAuthorizer({ allow: (channel) => mine.has(channel) })
const decide = (address: string) => auth.authorize({ headers: { 'x-original-uri': address } })

const pathName = (name: string) =>
  encodeURIComponent(name).replaceAll('%25', '%2525') + (/\.b\d+$/.test(name) ? '.b0' : '')

describe('what pages ask for', () => {
  test.each([...mine])('%j, in a path and by argument, with a backtrack', async (name) => {
    for (const mode of ['ws', 'ev', 'sub', 'lp', 'pl']) {
      const inPath = `/${mode}/${pathName(name)}`
      for (const address of [inPath, `${inPath}/global`, `${inPath}?time=&tag=5&_=1`]) {
        expect(await decide(address), address).toMatchObject({
          allowed: true,
          status: 204,
          channels: expect.arrayContaining([name]),
        })
      }
    }
    const argument = encodeURIComponent(name) + (/\.b\d+$/.test(name) ? '.b0' : '')
    for (const address of [`/ws?channels=${argument}`, `/ws/?x=1&Channels=${argument}%2Fglobal.b7`]) {
      expect(await decide(address), address).toMatchObject({ allowed: true, channels: expect.arrayContaining([name]) })
    }
    if (!/\.b\d+$/.test(name)) {
      expect(await decide(`/ws/${pathName(name)}.b5`)).toMatchObject({ allowed: true, channels: [name] })
    }
  })

  test('one that is not mine among them refuses all', async () => {
    expect(await decide('/ws/global/secret')).toMatchObject({
      allowed: false,
      status: 403,
      channels: ['global', 'secret'],
    })
    expect(await decide('/ws/global?channels=secret')).toMatchObject({ allowed: false })
    expect(await decide('/ws/?channels=global&CHANNELS=secret')).toMatchObject({ allowed: false })
  })
})

test('no way of writing the name of another channel gets through', async () => {
  for (const address of attacks('secret', 'global')) {
    expect(await decide(address), address).toMatchObject({ allowed: false, status: 403 })
  }
})

test('whatever is let in names no channel to the module’s protocol that is not allowed', async () => {
  const locations = resolveLocations(DEFAULT_LOCATIONS, '', {})
  let allowed = 0
  await fc.assert(
    fc.asyncProperty(uri('secret', 'global'), async (address) => {
      const decision = await decide(address)
      if (!decision.allowed) return
      allowed++
      const routed = route(locations, address)
      for (const { id } of routed?.channels ?? []) {
        const name = Buffer.from(id, 'latin1').toString('utf8')
        expect(mine.has(name), `${address}: ${name}`).toBe(true)
      }
    }),
    { numRuns: 20_000, seed: 42 },
  )
  // It also lets in.
  expect(allowed).toBeGreaterThan(100)
})

test.each(['%C2%80', 'x%C2%85', '%25C2%259Fy'])('a control character above ASCII, %s, is in no name', async (name) => {
  const all = createAuthorizer({ allow: () => true })
  for (const address of [`/ws/${name}`, `/ws?channels=${name}`]) {
    const decision = await all.authorize({ headers: { 'x-original-uri': address } })
    // By argument, what is encoded twice is a name with percent signs.
    expect(decision, address).toMatchObject({ allowed: address.includes('=%25') })
  }
})

describe('the request', () => {
  test.each([
    ['without the header', {}],
    ['with two', { 'X-Original-URI': '/ws/global', 'x-original-uri': '/ws/global' }],
    ['with two in one', { 'x-original-uri': '/ws/global, /ws/global' }],
    ['with an array of two', { 'x-original-uri': ['/ws/global', '/ws/secret'] }],
    ['with a whole address', { 'x-original-uri': 'http://a/ws/global' }],
    ['with nothing in it', { 'x-original-uri': '' }],
  ])('%s is refused', async (_, headers) => {
    expect(await auth.authorize({ headers })).toMatchObject({ allowed: false, status: 403, channels: [] })
  })

  test('its own address counts only where that was asked for', async () => {
    const request = { url: '/ws/global', headers: {} }
    expect(await auth.authorize(request)).toMatchObject({ allowed: false })
    const direct = createAuthorizer({ header: false, allow: (channel) => mine.has(channel) })
    expect(await direct.authorize(request)).toMatchObject({ allowed: true })
    expect(await direct.authorize(new Request('http://a/ws/global'))).toMatchObject({ allowed: true })
    expect(await direct.authorize(new Request('http://a/ws/secret'))).toMatchObject({ allowed: false })
    expect(await direct.authorize({ url: '/ws/secret', headers: { 'x-original-uri': '/ws/global' } })).toMatchObject({
      allowed: false,
    })
  })

  test('other locations, of Nchan', async () => {
    const nchan = createAuthorizer({
      server: 'nchan',
      locations: ['/app/sub'],
      separator: ',',
      allow: (name) => mine.has(name),
    })
    const asks = (address: string) => nchan.authorize({ headers: { 'x-original-uri': address } })
    expect(await asks('/app/sub/global')).toMatchObject({ allowed: true })
    expect(await asks('/app/sub/100%25')).toMatchObject({ allowed: true, channels: ['100%'] })
    expect(await asks('/app/sub/%2541')).toMatchObject({ allowed: true, channels: ['%41'] })
    expect(await asks('/app/sub/global%2Ca%20b')).toMatchObject({ allowed: true, channels: ['global', 'a b'] })
    expect(await asks('/app/sub/global,secret')).toMatchObject({ allowed: false })
    expect(await asks('/app/sub/?channel=global')).toMatchObject({ allowed: true })
    expect(await asks('/app/sub?channel=a%20b')).toMatchObject({ allowed: false, channels: ['a%20b'] })
    expect(await asks('/sub/global')).toMatchObject({ allowed: false })
  })
})

describe('the answer', () => {
  const answering = (allow: () => boolean | 401 | 403 | Promise<boolean | 401 | 403>) => {
    const { handler, respond } = createAuthorizer({ allow })
    return async (): Promise<number> => {
      const headers = { 'x-original-uri': '/ws/global' }
      const response = { statusCode: 0, ended: false, setHeader: () => {}, end: () => {} }
      await handler({ headers }, response)
      const other = await respond({ headers: new Headers(headers) })
      expect(other.status).toBe(response.statusCode)
      expect(other.headers.get('Cache-Control')).toBe('no-store')
      return other.status
    }
  }

  test.each([
    [true, 204],
    [false, 403],
    [401, 401],
    [403, 403],
    // Whatever is not true is no.
    [1 as never, 403],
    [undefined as never, 403],
  ])('%s is %i', async (verdict, status) => {
    expect(await answering((): 401 => verdict as 401)()).toBe(status)
  })

  test('an application that can’t tell is neither yes nor no', async () => {
    expect(
      await answering(async (): Promise<boolean> => {
        throw new Error('the database is away')
      })(),
    ).toBe(500)
  })
})

const allow = () => true
const wrong: readonly object[] = [
  {},
  { allow: true },
  { allow, server: 'apache' },
  { allow, path: '/' },
  { allow, separator: '' },
]
test.each(wrong)('%o is refused', (options) => {
  expect(() => createAuthorizer(options as never)).toThrow(expect.objectContaining({ code: 'bad-option' }))
})
