import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { Processors } from '../../src/delivery/processors.js'
import { IncomingMessage, messageOf } from '../../src/message.js'
import { runs } from './support/runs.js'

let log: unknown[]
let processors: Processors

beforeEach(() => {
  log = []
  processors = new Processors((cause) => log.push(['failed', (cause as Error).message]))
})

const send = (channel: string, body: unknown, eventType?: string) =>
  processors.route(
    messageOf(new IncomingMessage(1, channel, body, Number.NaN, 1, undefined, eventType, 'websocket', false)),
  )
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

  test('any processors, and messages in between → the same calls as of going through all of them', () => {
    const name = fc.constantFrom('a', 'b', '*')
    const type = fc.constantFrom('x', 'y', '*', '')
    const step = fc.oneof(
      fc.record({ add: fc.tuple(name, type) }),
      fc.record({ back: fc.nat(7) }),
      fc.record({ send: fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.option(type, { nil: undefined })) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const called: number[] = []
        const expected: number[] = []
        const routed = new Processors(() => {})
        const model: { channel: string; type: string; n: number; back: () => void }[] = []
        steps.forEach((one, n) => {
          if ('add' in one) {
            const [channel, type] = one.add
            model.push({ channel, type, n, back: routed.add(channel, type, () => called.push(n)) })
          } else if ('back' in one) {
            for (const { back } of model.splice(one.back, 1)) back()
          } else {
            const [channel, type] = one.send
            const concerned = model
              .filter((other) => other.channel === channel || other.channel === '*')
              .filter((other) => other.type === type || other.type === '*')
            expected.push(...concerned.map((other) => other.n))
            const body = type === undefined ? 'x' : { type }
            const count = routed.route(
              messageOf(new IncomingMessage(1, channel, body, Number.NaN, 1, undefined, undefined, 'websocket', false)),
            )
            expect(count).toBe(concerned.length)
          }
        })
        expect(called).toEqual(expected)
      }),
      runs(300),
    )
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
