import { beforeEach, describe, expect, test } from 'vitest'
import { Processors } from '../../src/delivery/processors.js'
import { Received } from '../../src/message.js'

let log: unknown[]
let processors: Processors

beforeEach(() => {
  log = []
  processors = new Processors({ failed: (cause) => log.push(['failed', (cause as Error).message]) })
})

const send = (channel: string, body: unknown, eventType?: string) =>
  processors.route(new Received(1, channel, body, Number.NaN, 1, undefined, eventType, 'websocket', false))
const note = (name: string) => (data: unknown) => void log.push([name, data])
describe('processors', () => {
  test('by channel and type, in the order of registration', () => {
    processors.add('*', '*', note('all'))
    processors.add('a', 'x', note('a x'))
    processors.add('a', '*', note('a *'))
    processors.add('*', 'x', note('* x'))
    processors.add('b', 'x', note('b x'))
    send('a', '{"type":"x"}')
    expect(log.map((entry) => (entry as string[])[0])).toEqual(['all', 'a x', 'a *', '* x'])
    log.length = 0
    send('b', 'plain', 'x')
    expect(log).toEqual([
      ['all', 'plain'],
      ['* x', 'plain'],
      ['b x', 'plain'],
    ])
    log.length = 0
    send('c', 'untyped')
    expect(log).toEqual([['all', 'untyped']])
  })

  test('taken back, once or twice', () => {
    const back = processors.add('a', '*', note('one'))
    processors.add('a', '*', note('two'))
    back()
    back()
    send('a', 'x')
    expect(log).toEqual([['two', 'x']])
  })

  test('what changes while a message is on its way counts from the next one', () => {
    const back = processors.add('a', '*', () => {
      log.push('first')
      processors.add('a', '*', note('late'))
      back()
    })
    processors.add('a', '*', note('second'))
    send('a', '1')
    expect(log).toEqual(['first', ['second', 1]])
    log.length = 0
    send('a', '2')
    expect(log).toEqual([
      ['second', 2],
      ['late', 2],
    ])
  })

  test('one that throws disturbs no other', () => {
    processors.add('a', '*', () => {
      throw new Error('mine')
    })
    processors.add('a', '*', note('next'))
    send('a', 'x')
    expect(log).toEqual([
      ['failed', 'mine'],
      ['next', 'x'],
    ])
  })
})
