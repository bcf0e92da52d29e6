import type { StandardSchemaV1 } from '@standard-schema/spec'
import fc from 'fast-check'
import * as v from 'valibot'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Processors } from '../../src/delivery/processors.js'
import { messageOf, Received } from '../../src/message.js'
import { runs } from './support/runs.js'

let log: unknown[]
let processors: Processors

beforeEach(() => {
  log = []
  processors = new Processors({
    failed: (cause) => log.push(['failed', (cause as Error).message]),
    invalid: (message, issues) => log.push(['invalid', message.text, issues.length]),
  })
})

const send = (channel: string, body: unknown, eventType?: string) =>
  processors.route(messageOf(new Received(1, channel, body, Number.NaN, 1, undefined, eventType, 'websocket', false)))
const note = (name: string) => (data: unknown) => void log.push([name, data])
const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

/** A schema that answers after a while: `{ wait }` ms, refusing what has no number. */
const slow: StandardSchemaV1<unknown, { wait: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) => {
      const { wait } = value as { wait: number }
      await new Promise((resolve) => setTimeout(resolve, wait))
      return wait < 0 ? { issues: [{ message: 'negative' }] } : { value: { wait } }
    },
  },
}

describe('processors', () => {
  test('by channel and type, in the order of registration', () => {
    processors.add('*', '*', note('all'), undefined)
    processors.add('a', 'x', note('a x'), undefined)
    processors.add('a', '*', note('a *'), undefined)
    processors.add('*', 'x', note('* x'), undefined)
    processors.add('b', 'x', note('b x'), undefined)
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
        const routed = new Processors({ failed() {}, invalid() {} })
        const model: { channel: string; type: string; n: number; back: () => void }[] = []
        steps.forEach((one, n) => {
          if ('add' in one) {
            const [channel, type] = one.add
            model.push({ channel, type, n, back: routed.add(channel, type, () => called.push(n), undefined) })
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
              messageOf(new Received(1, channel, body, Number.NaN, 1, undefined, undefined, 'websocket', false)),
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
    const back = processors.add('a', '*', note('one'), undefined)
    processors.add('a', '*', note('two'), undefined)
    back()
    back()
    send('a', 'x')
    expect(log).toEqual([['two', 'x']])
  })

  test('what changes while a message is on its way counts from the next one', () => {
    const back = processors.add(
      'a',
      '*',
      () => {
        log.push('first')
        processors.add('a', '*', note('late'), undefined)
        back()
      },
      undefined,
    )
    processors.add('a', '*', note('second'), undefined)
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
    processors.add(
      'a',
      '*',
      () => {
        throw new Error('mine')
      },
      undefined,
    )
    processors.add('a', '*', note('next'), undefined)
    send('a', 'x')
    expect(log).toEqual([
      ['failed', 'mine'],
      ['next', 'x'],
    ])
  })

  test.each<[string, StandardSchemaV1]>([
    ['zod', z.object({ type: z.string(), n: z.coerce.number() }).transform(({ n }) => n * 2)],
    [
      'valibot',
      v.pipe(
        v.object({ type: v.string(), n: v.pipe(v.unknown(), v.transform(Number), v.number()) }),
        v.transform(({ n }) => n * 2),
      ),
    ],
  ])('a schema of %s, synchronously', (_, schema) => {
    processors.add('a', 'x', note('got'), schema)
    send('a', '{"type":"x","n":"21"}')
    send('a', '{"type":"x","n":"no"}')
    expect(log).toEqual([
      ['got', 42],
      ['invalid', '{"type":"x","n":"no"}', 1],
    ])
  })

  test('a schema that answers later keeps the order', async () => {
    processors.add('a', '*', note('got'), slow)
    for (const wait of [12, 1, -1, 5]) send('a', JSON.stringify({ wait }))
    expect(log).toEqual([])
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(log).toEqual([
      ['got', { wait: 12 }],
      ['got', { wait: 1 }],
      ['invalid', '{"wait":-1}', 1],
      ['got', { wait: 5 }],
    ])
  })

  test('a schema that answers now and then later keeps the order too', async () => {
    const mixed: StandardSchemaV1 = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          value === 'later' ? new Promise((resolve) => setTimeout(() => resolve({ value }), 5)) : { value },
      },
    }
    processors.add('a', '*', note('got'), mixed)
    for (const body of ['now', 'later', 'after']) send('a', body)
    await settled()
    expect(log).toEqual([
      ['got', 'now'],
      ['got', 'later'],
      ['got', 'after'],
    ])
  })

  test.each<[string, StandardSchemaV1['~standard']['validate']]>([
    [
      'throws',
      () => {
        throw new Error('broken schema')
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken schema'))],
  ])('a schema that %s is reported, and the next message is not', async (_, validate) => {
    let calls = 0
    const schema: StandardSchemaV1 = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => (calls++ === 0 ? validate(value) : { value }),
      },
    }
    processors.add('a', '*', note('got'), schema)
    send('a', 'one')
    send('a', 'two')
    await settled()
    expect(log).toEqual([
      ['failed', 'broken schema'],
      ['got', 'two'],
    ])
  })

  test('nothing comes after it was taken back, although a schema was still at it', async () => {
    const back = processors.add('a', '*', note('got'), slow)
    send('a', '{"wait":1}')
    back()
    await settled()
    expect(log).toEqual([])
  })

  test('a thenable of another realm is waited for as well', async () => {
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        // biome-ignore lint/suspicious/noThenProperty: that is what it is about
        validate: (value: unknown) => ({ then: (done: (result: object) => void) => done({ value }) }),
      },
    } as unknown as StandardSchemaV1
    processors.add('a', '*', note('got'), schema)
    send('a', 'x')
    await settled()
    expect(log).toEqual([['got', 'x']])
  })
})
