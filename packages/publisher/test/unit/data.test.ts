import { nchanServer, Publisher, relayServer } from '@pushstream/publisher'
import { expect, test } from 'vitest'
import { controlNames } from '../../../../e2e/support/channel-names.js'
import { errorOf, scripted, taken } from '../support/scripted.js'

// What is sent is what was given, at the call; and nothing goes into a header that ends it.

const accepted = () => new Response('', { status: 202 })

test('bytes are what they were at the call, whoever writes into their buffer later', async () => {
  const { publisher, asked } = scripted([accepted()], { server: nchanServer() })
  const buffer = Buffer.from('first')
  const first = publisher.publish('c', buffer)
  buffer.write('other')
  await Promise.all([first, publisher.publish('c', buffer)])
  expect(asked.map(({ body }) => body)).toEqual(['first', 'other'])
})

test('bytes in whatever they come', async () => {
  const { publisher, asked } = scripted([accepted()], { server: nchanServer() })
  const { buffer } = new TextEncoder().encode('bytes')
  await publisher.publish('c', buffer as never)
  await publisher.publish('c', new DataView(buffer, 1, 2) as never)
  expect(asked.map(({ body }) => body)).toEqual(['bytes', 'yt'])
  const module = scripted([taken()])
  for (const data of [buffer, new DataView(buffer), Buffer.from('x')]) {
    expect(await errorOf(module.publisher.publish('c', data as never))).toMatchObject({ code: 'bad-data' })
  }
})

test.each([undefined, nchanServer()])('a promise is no data', async (server) => {
  const { publisher, asked } = scripted([taken()], server && { server })
  expect(await errorOf(publisher.publish('c', Promise.resolve({ n: 1 })))).toMatchObject({ code: 'bad-data' })
  expect(asked).toEqual([])
})

test.each([undefined, nchanServer()])('no content type ends its header', async (server) => {
  const { publisher, asked } = scripted([accepted()], server && { server })
  for (const contentType of ['text/plain\r\nX-Evil: 1', 'text/plain\n', '', 'é', ' a', 1 as never]) {
    expect(await errorOf(publisher.publish('c', 'x', { contentType })), contentType).toMatchObject({
      code: 'bad-option',
      outcome: 'no',
    })
  }
  expect(asked).toEqual([])
  await publisher.publish('c', 'x', { contentType: 'text/plain; charset="utf-8"' })
  expect(asked[0]?.headers.get('Content-Type')).toBe('text/plain; charset="utf-8"')
})

for (const server of [undefined, nchanServer(), relayServer()]) {
  test.each(controlNames)(
    `${server?.name ?? 'push-stream'}: the name %j is refused, as by the pages’ client`,
    async (name) => {
      const { publisher, asked } = scripted([taken()], server && { server })
      expect(await errorOf(publisher.publish(name, 'x'))).toMatchObject({ code: 'bad-channel' })
      if (server === undefined) {
        expect(await errorOf(publisher.stats({ prefix: name }))).toMatchObject({ code: 'bad-channel' })
      }
      expect(asked).toEqual([])
    },
  )
}

test('no prefix is not all', async () => {
  const { publisher } = scripted([taken()])
  expect(await errorOf(publisher.stats({ prefix: undefined as never }))).toMatchObject({ code: 'bad-option' })
})

test('options that can’t be: told at once, and without secrets', () => {
  const of = (options: object) => {
    try {
      new Publisher({ url: 'http://a', ...options })
    } catch (error) {
      return error as { code: string; message: string }
    }
    throw new Error('it was taken')
  }
  expect(of({ url: 'http://user:secret@a:99999' })).toMatchObject({ code: 'bad-option' })
  expect(of({ url: 'http://user:secret@a:99999' }).message).not.toContain('secret')
  expect(of({ headers: { Authorization: 'secret\n' + 'X: 1' } })).toMatchObject({ code: 'bad-option' })
  expect(of({ headers: { 'a b': 'secret' } }).message).not.toContain('secret')
  expect(of({ retry: null })).toMatchObject({ code: 'bad-option' })
})
