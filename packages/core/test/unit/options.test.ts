import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Client } from '../../src/client.js'
import { PushStreamError } from '../../src/errors.js'
import { settingsOf as settingsWith } from '../../src/options.js'
import { positionOf } from '../../src/position.js'
import { djangoEventStream } from '../../src/protocols/django-eventstream.js'
import { nchan } from '../../src/protocols/nchan.js'
import { messageTemplate } from '../../src/protocols/template.js'
import { PushStream } from '../../src/push-stream.js'
import { eventsource } from '../../src/transports/http.js'
import { nativeEventSource } from '../../src/transports/native-event-source.js'
import { nativeWebSocket } from '../../src/transports/native-websocket.js'
import { websocket } from '../../src/transports/websocket.js'
import { named } from './support/named.js'
import { anyString, runs } from './support/runs.js'
import { wanted } from './support/wanted.js'

type Options = Parameters<typeof settingsWith>[0]

const settingsOf = (options: Options) => settingsWith(options, named)

const page = (href: string) => {
  const { protocol, hostname, port } = new URL(href)
  return { location: { protocol, hostname, port }, now: () => 1_000_000 }
}
const at = (href: string, options: object = {}) => settingsOf({ environment: page(href), ...options } as Options)
const address = (href: string, options: object = {}) => at(href, options).protocol.exchange('websocket', wanted()).url
const here = 'https://www.example.org/some/page'

describe('what is refused, and why', () => {
  describe.each([
    ['nchan', nchan()],
    ['djangoEventStream', djangoEventStream()],
  ])('%s', (name, protocol) => {
    test.each([
      { urlPrefixEventsource: '/ev' },
      { jsonIdKey: 'n' },
      { channelsByArgument: true },
      { messagesControlByArgument: true },
      { tagArgument: 't' },
      { messageTemplate: messageTemplate('~id~') },
      { text: 'plain' as const },
    ])('what is of another server: %j', (option) => {
      const known = Object.keys(option)[0] as string
      expect(() => at(here, { protocol, ...option })).toThrow(
        expect.objectContaining({
          code: 'bad-option',
          message: `'${known}' is of nginx-push-stream-module: leave it out. What ${name} takes stands in its own options.`,
        }),
      )
      expect(() => at(here, { protocol, [known]: undefined })).not.toThrow()
    })
  })

  test.each<[object, string]>([
    [{ nope: 1 }, "Unknown option 'nope'"],
    [{ Host: 'x' }, "'host'"],
    [{ usessl: true }, "'useSSL'"],
    [{ URL: 'x' }, "'url'"],
    [{ urlPrefixWebSocket: '/ws' }, "'urlPrefixWebsocket'"],
    [{ __proto__: null, toString: 1 }, "Unknown option 'toString'"],
    [JSON.parse('{"__proto__":1}'), "Unknown option '__proto__'"],
    [{ url: 7 }, "'url' takes string"],
    [{ url: null }, 'null'],
    [{ modes: 'websocket|ws' }, "Unknown mode 'ws'"],
    [{ modes: '' }, "Unknown mode ''"],
    [{ modes: [] }, 'at least one'],
    [{ modes: 'websocket|websocket' }, 'mode'],
    [{ modes: {} }, "'modes'"],
    [{ modes: [null] }, 'Unknown mode'],
    [{ modes: [Symbol('x')] }, 'Unknown mode'],
    [{ modes: [{ name: 'websocket' }] }, 'Unknown mode'],
    [{ modes: [{ name: 'ws', open() {} }] }, "Unknown mode 'ws'"],
    [{ modes: [nativeWebSocket, 'websocket'] }, 'none twice'],
    [{ modes: [{ ...nativeEventSource }], protocol: djangoEventStream() }, 'nativeEventSource hides'],
    [{ pingtimeout: 0 }, 'above 0'],
    [{ pingtimeout: -1 }, 'above 0'],
    [{ timeout: Number.NaN }, 'NaN'],
    [{ timeout: Number.POSITIVE_INFINITY }, 'Infinity'],
    [{ timeout: '10' }, 'takes number'],
    [{ url: 'http://a b' }, 'no address'],
    [{ url: 'http://a:70000' }, 'no address'],
    [{ url: 'http://a:x' }, 'no address'],
    [{ url: 'http://a%zz' }, 'no address'],
    [{ url: 'a:80' }, 'http or https'],
    [{ url: [] }, 'at least one'],
    [{ url: {} }, 'array'],
    [{ url: ['https://a', 7] }, 'array of at least one address'],
    [{ url: [undefined] }, 'array of at least one address'],
    [{ url: [null] }, 'array of at least one address'],
    [{ url: ['https://a', 'ftp://b'] }, 'http or https'],
    [{ url: ['https://a', 'https://b?x=1'] }, "use 'params'"],
    [{ url: ['https://a', 'https://['] }, 'no address'],
    [{ hosts: ['https://a'] }, "Unknown option 'hosts'"],
    [{ url: 'ftp://a' }, 'http or https'],
    [{ url: 'https://a?x=1' }, "use 'params'"],
    [{ url: 'https://a#x' }, "use 'params'"],
    [{ url: 'http://[' }, 'no address'],
    [{ params: 'a=b' }, 'object or function'],
    [{ messagesPublishedAfter: new Date(Number.NaN) }, 'valid Date'],
    [{ messagesPublishedAfter: {} }, 'valid Date'],
    [{ messagesPublishedAfter: '5' }, 'number or object'],
    [{ text: 'utf8' }, "'text'"],
    [{ credentials: 'always' }, "'credentials'"],
    [{ autoReconnect: 'yes' }, 'boolean'],
    [{ logger: {} }, "'logger'"],
    [{ messageTemplate: '~text~' }, "takes messageTemplate('…')"],
    [{ messageTemplate: {} }, "takes messageTemplate('…')"],
    [{ signal: {} }, "'signal'"],
    [{ protocol: {} }, "'protocol'"],
  ])('%j', (options, why) => {
    const make = () => settingsOf(Object.assign(Object.create(null), options, { environment: page(here) }) as Options)
    const own = () =>
      settingsOf(Object.defineProperty(options, 'environment', { value: page(here), configurable: true }) as Options)
    for (const attempt of '__proto__' in options && Object.hasOwn(options, '__proto__') ? [own] : [make]) {
      expect(attempt).toThrow(PushStreamError)
      expect(attempt).toThrow(expect.objectContaining({ code: 'bad-option', message: expect.stringContaining(why) }))
    }
  })

  test.each([
    ['host', "use 'url'"],
    ['port', "use 'url'"],
    ['useSSL', "use 'url'"],
    ['extraParams', "use 'params'"],
    ['useJSONP', 'leave it out'],
    ['onmessage', "use on('message', …)"],
    ['onerror', "use on('error', …)"],
    ['onstatuschange', "use on('status', …)"],
    ['onchanneldeleted', "use on('channeldeleted', …)"],
    ['ongap', "use on('gap', …)"],
  ])('classic name %s → an error that names the classic client and the new name', (name, instead) => {
    const error = expect.objectContaining({
      code: 'bad-option',
      message: `'${name}' belongs to the classic client. Import PushStream from '@pushstream/core/classic', or ${instead}.`,
    })
    expect(() => at(here, { [name]: undefined })).toThrow(error)
    expect(() => at(here, { [name.toUpperCase()]: 1 })).toThrow(error)
    const stream = new PushStream({ environment: { location: undefined } }) as unknown as Record<string, unknown>
    expect(() => {
      stream[name] = () => {}
    }).toThrow(error)
  })

  test.each([undefined, null, 7, 'x'])('%j is no options', (options) => {
    expect(() => settingsOf(options as never)).toThrow(expect.objectContaining({ code: 'bad-option' }))
  })

  test('without a page, the server must be named: a client can be made, for rendering on a server, but not connected', () => {
    const make = (options: object) => settingsOf({ environment: { location: undefined }, ...options } as Options)
    expect(make({}).origin).toBe('')
    expect(make({ url: 'http://a' }).origin).toBe('http://a')
    const stream = new PushStream({ environment: { location: undefined } }).addChannel('a')
    expect(stream.status.state).toBe('closed')
    expect(() => stream.connect()).toThrow(
      expect.objectContaining({ code: 'bad-option', message: expect.stringContaining("set 'url'") }),
    )
    expect(stream.status.state).toBe('closed')
  })

  test('undefined option → its default', () => {
    expect(() => at(here, { url: undefined, timeout: undefined })).not.toThrow()
  })

  test('no secret gets into a message', () => {
    const told = (options: object) => {
      try {
        at(here, options)
      } catch (error) {
        return String(error)
      }
      return ''
    }
    expect(told({ url: 'https://a?token=hush' })).not.toContain('hush')
    expect(told({ headers: 'Bearer hush' })).not.toContain('hush')
  })
})

describe('where the server is', () => {
  test.each<[string, object, string]>([
    [here, {}, 'wss://www.example.org/ws/a'],
    ['http://localhost:5173/', {}, 'ws://localhost:5173/ws/a'],
    ['http://localhost:5173/', { url: '//localhost:8080' }, 'ws://localhost:8080/ws/a'],
    ['http://localhost:5173/', { url: '//push.example.org' }, 'ws://push.example.org/ws/a'],
    [here, { url: '//push.example.org' }, 'wss://push.example.org/ws/a'],
    [here, { url: 'http://push.example.org' }, 'ws://push.example.org/ws/a'],
    [here, { url: 'https://push.example.org:443' }, 'wss://push.example.org/ws/a'],
    [here, { url: 'https://[::1]:8080' }, 'wss://[::1]:8080/ws/a'],
    [here, { url: 'https://user:secret@push.example.org' }, 'wss://push.example.org/ws/a'],
    [here, { url: 'http://push.example.org:81/prefix/' }, 'ws://push.example.org:81/prefix/ws/a'],
    [here, { url: 'wss://push.example.org' }, 'wss://push.example.org/ws/a'],
    [here, { url: '/prefix' }, 'wss://www.example.org/prefix/ws/a'],
    ['file:///home/page.html', { url: 'http://localhost:9080' }, 'ws://localhost:9080/ws/a'],
    ['about:blank', { url: 'http://localhost:9080' }, 'ws://localhost:9080/ws/a'],
  ])('%s with %j', (href, options, url) => {
    expect(address(href, options)).toBe(url)
  })

  test.each(['app://localhost/index.html', 'chrome-extension://abc/page.html', 'file:///home/page.html'])(
    'page that did not come by http: %s → the server must be named',
    (href) => {
      expect(at(href).hosts.count).toBe(0)
      expect(at(href, { url: 'https://a' }).origin).toBe('https://a')
    },
  )

  test('defaults', () => {
    const { protocol, environment, hosts, transports, ...settings } = at(here)
    expect(transports).toEqual([named.websocket, named.eventsource, named.longpolling])
    expect([protocol.capabilities.lastMessage, typeof environment.fetch]).toEqual([true, 'function'])
    expect(settings).toEqual({
      pingtimeout: 30_000,
      timeout: 10_000,
      autoReconnect: true,
      backoffBase: 1000,
      backoffCap: 60_000,
      lastEventId: undefined,
      publishedAfter: undefined,
      params: {},
      headers: {},
      logger: undefined,
      origin: 'https://www.example.org',
    })
  })

  test.each([
    [10, 990_000],
    [-10, 990_000],
    [0, 1_000_000],
    [new Date(5000), 5000],
  ])('messagesPublishedAfter %s', (messagesPublishedAfter, publishedAfter) => {
    expect(at(here, { messagesPublishedAfter }).publishedAfter).toBe(publishedAfter)
  })

  test('the classic list of modes', () => {
    expect(at(here, { modes: 'stream|longpolling' }).transports).toEqual([named.stream, named.longpolling])
  })

  test('names and transports, mixed → in this order', () => {
    const modes = ['longpolling', nativeWebSocket, eventsource]
    expect(at(here, { modes }).transports).toEqual([named.longpolling, nativeWebSocket, eventsource])
  })

  test('a Client → takes transports, and says so where it gets names or nothing', () => {
    const environment = page(here)
    expect(() => new Client({ modes: [websocket, eventsource], environment })).not.toThrow()
    expect(new PushStream({ environment })).toBeInstanceOf(Client)
    const message = expect.stringMatching(/^Client takes transports, not names: .*modes: \[websocket\]/)
    for (const modes of ['websocket', undefined] as const) {
      const options = modes === undefined ? { environment } : { environment, modes }
      expect(() => new Client(options)).toThrow(expect.objectContaining({ code: 'bad-option', message }))
    }
  })
})

describe('several servers', () => {
  const three = ['https://a.example', 'https://b.example:8443/prefix/', '/own']

  test('one after the other, round and round', () => {
    const { hosts, protocol, origin } = at(here, { url: three })
    const asked = () => protocol.exchange('websocket', wanted()).url
    const fail = () => hosts.failed(hosts.current)
    expect([hosts.count, hosts.current, origin]).toEqual([3, 'https://a.example', 'https://a.example'])
    expect(asked()).toBe('wss://a.example/ws/a')
    fail()
    expect(asked()).toBe('wss://b.example:8443/prefix/ws/a')
    fail()
    expect(asked()).toBe('wss://www.example.org/own/ws/a')
    fail()
    expect(asked()).toBe('wss://a.example/ws/a')
  })

  test('who fails when another one is in use already changes nothing', () => {
    const { hosts } = at(here, { url: three })
    hosts.failed('https://a.example')
    hosts.failed('https://a.example')
    hosts.failed('https://nobody.example')
    expect(hosts.current).toBe('https://b.example:8443/prefix')
  })

  test('one alone stays', () => {
    const { hosts } = at(here, { url: ['https://a.example'] })
    hosts.failed(hosts.current)
    expect(hosts.current).toBe('https://a.example')
    const { hosts: none } = at(here, { url: 'https://b.example' })
    none.failed(none.current)
    expect([none.count, none.current]).toEqual([1, 'https://b.example'])
  })

  test('two clients do not share where they are', () => {
    const [one, other] = [at(here, { url: three }), at(here, { url: three })]
    one.hosts.failed(one.hosts.current)
    expect(other.hosts.current).toBe('https://a.example')
  })

  test('headers that need a preflight are left out as soon as one is of another origin', () => {
    const position = positionOf(Date.UTC(2026, 10, 20), 1)
    const headers = (url: readonly string[]) =>
      at(here, { url }).protocol.exchange('longpolling', wanted(undefined, { position })).headers
    expect(headers(['/', 'https://a.example'])).toEqual({})
    expect(headers(['/', 'https://www.example.org/other'])).toHaveProperty('If-None-Match')
  })

  test('nchan asks the one in use too', () => {
    const { hosts, protocol } = at(here, { url: three, protocol: nchan() })
    hosts.failed(hosts.current)
    expect(protocol.exchange('websocket', wanted()).url).toBe('wss://b.example:8443/prefix/sub/a')
    expect(protocol.publish(['a'], '').url).toBe('https://b.example:8443/prefix/pub/a')
  })
})

test('whatever is given, only a PushStreamError is thrown', () => {
  const names = [
    'url',
    'host',
    'hosts',
    'port',
    'useSSL',
    'modes',
    'params',
    'headers',
    'timeout',
    'text',
    'messageTemplate',
    'jsonIdKey',
    'messagesPublishedAfter',
    'signal',
    'protocol',
    'urlPrefixWebsocket',
    'credentials',
    '__proto__',
  ]
  const value = fc.oneof(
    fc.anything({ maxDepth: 1, maxKeys: 2 }),
    anyString(),
    fc.webUrl(),
    fc.constantFrom('~text~', '[', '//', 'http://', 'a:b'),
  )
  const options = fc.oneof(
    fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 }),
    fc.object({ maxDepth: 1, maxKeys: 3 }),
  )
  fc.assert(
    fc.property(options, fc.boolean(), (options, located) => {
      try {
        settingsOf({ ...options, environment: located ? page(here) : { location: undefined } } as Options)
      } catch (error) {
        if (!(error instanceof PushStreamError)) throw error
      }
    }),
    runs(200),
  )
})
