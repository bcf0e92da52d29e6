import { createManualClock, manualEnvironment } from '@pushstream/testkit'
import { expect, test } from 'vitest'
import { nchan } from '../../src/protocols/nchan.js'
import { PushStream } from '../../src/push-stream.js'

const names = ['a', 'b', 'c']

/**
 * A page whose channels share each long-poll of a server like Nchan with one worker: one message an answer, the oldest
 * second first, in it the lowest counter. Its ids have a counter for each channel.
 */
function visit() {
  const clock = createManualClock(1_795_248_204_000)
  const stored: { second: number; tag: number; name: string; text: string }[] = []
  const hanging = new Set<{ look(): void; cut(): void }>()
  const asked: string[] = []
  let reachable = true

  const publish = (name: string, text: string) => {
    const second = Math.floor(clock.now() / 1000)
    const tag = stored.filter((one) => one.name === name && one.second === second).length
    stored.push({ second, tag, name, text })
    stored.sort((one, other) => one.second - other.second || one.tag - other.tag || (one.name < other.name ? -1 : 1))
    for (const { look } of [...hanging]) look()
  }

  const fetching = (input: string, { method, signal }: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      if (method === 'OPTIONS') return void clock.setTimeout(() => resolve(new Response('')), 50)
      const { pathname, searchParams } = new URL(input)
      const wanted = decodeURIComponent(pathname.slice('/sub/'.length)).split(',')
      const id = searchParams.get('last_event_id') ?? `0:${wanted.map(() => '-')}`
      asked.push(id)
      const [time, list = ''] = id.split(':')
      const second = Number(time)
      const tags = list.split(',').map((tag) => (tag.includes('-') ? -1 : Number.parseInt(tag.replace('[', ''), 10)))
      if (tags.length > wanted.length) return resolve(new Response('', { status: 400 }))
      const tagOf = (name: string) => tags[wanted.indexOf(name)] ?? -1
      const look = () => {
        const next = stored.find(
          (one) =>
            wanted.includes(one.name) && (one.second > second || (one.second === second && one.tag > tagOf(one.name))),
        )
        if (next === undefined) return
        hanging.delete(poll)
        const etag = wanted.map((name) => {
          if (name === next.name) return `[${next.tag}]`
          return next.second === second && tagOf(name) >= 0 ? tagOf(name) : '-'
        })
        const at = new Date(next.second * 1000).toUTCString()
        resolve(new Response(next.text, { headers: { 'Last-Modified': at, Etag: etag.join() } }))
      }
      const cut = () => {
        hanging.delete(poll)
        reject(new TypeError('the network broke'))
      }
      const poll = { look, cut }
      signal?.addEventListener('abort', cut)
      if (!reachable) return cut()
      hanging.add(poll)
      look()
    })

  const stream = new PushStream({
    url: 'http://h',
    modes: ['longpolling'],
    protocol: nchan({ separator: ',' }),
    environment: manualEnvironment(clock, { fetch: fetching as unknown as typeof fetch }),
  })
  const got: string[] = []
  // A text begins with its channel's name.
  stream.on('message', ({ channel, text }) => got.push(text.startsWith(channel) ? text : `${text} on ${channel}`))
  stream.on('gap', ({ channel, reason }) => got.push(`gap ${channel} ${reason}`))
  for (const name of names) stream.addChannel(name)
  stream.connect()
  return {
    clock,
    stream,
    publish,
    got,
    asked,
    reachable(is: boolean) {
      reachable = is
      if (!is) for (const { cut } of [...hanging]) cut()
    },
  }
}

test('a connection is refused, then messages of two seconds are stored → the polls go on from one to the next', async () => {
  const { clock, publish, reachable, got, asked, stream } = visit()
  await clock.advance(1000)
  for (const n of [1, 2, 3]) {
    for (const name of names) publish(name, `${name}${n}`)
    await clock.advance(1000)
  }
  const before = [...got]
  expect(before).toHaveLength(9)
  // A connection that can't be made may mean a server that begins anew: everything is asked for.
  reachable(false)
  await clock.advance(300)
  reachable(true)
  await clock.advance(10_000)
  asked.length = 0
  publish('a', 'a4')
  await clock.advance(1000)
  expect(got).toEqual([...before, 'a4'])
  expect(asked).toHaveLength(1)
  stream.close()
})

test('a poll is cut at the end of a second → the messages of the next second come without a gap', async () => {
  const { clock, publish, reachable, got, asked, stream } = visit()
  await clock.advance(1000)
  for (const name of names) publish(name, `${name}1`)
  await clock.advance(900)
  asked.length = 0
  reachable(false)
  reachable(true)
  await clock.advance(100)
  for (const name of names) publish(name, `${name}2`)
  await clock.advance(1000)
  expect(got).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2'])
  // What is known came again first.
  expect(asked[0]).toBe('1795248204:[-],-,-')
  expect(stream.stats.duplicates).toBe(3)
  stream.close()
})

test('a channel is removed while a poll hangs → the other ones keep their messages', async () => {
  const { clock, publish, got, stream } = visit()
  await clock.advance(1000)
  for (const name of names) publish(name, `${name}1`)
  await clock.advance(1000)
  stream.removeChannel('a')
  for (const n of [2, 3, 4]) {
    for (const name of ['b', 'c']) publish(name, `${name}${n}`)
    await clock.advance(n)
  }
  await clock.advance(5000)
  const of = (name: string) => got.filter((text) => text.startsWith(name))
  expect([of('b'), of('c'), got.length]).toEqual([['b1', 'b2', 'b3', 'b4'], ['c1', 'c2', 'c3', 'c4'], 9])
  stream.close()
})
