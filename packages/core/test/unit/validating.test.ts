import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as v from 'valibot'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Processors } from '../../src/delivery/processors.js'
import { type ValidationEvents, validating } from '../../src/delivery/validating.js'
import { IncomingMessage, messageOf } from '../../src/message.js'

let log: unknown[]
let processors: Processors
const events: ValidationEvents = {
  failed: (cause) => log.push(['failed', (cause as Error).message]),
  invalid: (message, issues) => log.push(['invalid', message.text, issues.length]),
}

beforeEach(() => {
  log = []
  processors = new Processors(events.failed)
})

const send = (channel: string, body: unknown) =>
  processors.route(
    messageOf(new IncomingMessage(1, channel, body, Number.NaN, 1, undefined, undefined, 'websocket', false)),
  )
const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

/** Registers a processor with a schema, and returns what takes it back. */
function add(schema: StandardSchemaV1): () => void {
  const { process, end } = validating(schema, (data) => log.push(['got', data]), events)
  const back = processors.add('a', '*', process)
  return () => {
    end()
    back()
  }
}

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

describe('validating', () => {
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
    add(schema)
    send('a', '{"type":"x","n":"21"}')
    send('a', '{"type":"x","n":"no"}')
    expect(log).toEqual([
      ['got', 42],
      ['invalid', '{"type":"x","n":"no"}', 1],
    ])
  })

  test('a schema that answers later keeps the order', async () => {
    add(slow)
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
    add(mixed)
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
    add(schema)
    send('a', 'one')
    send('a', 'two')
    await settled()
    expect(log).toEqual([
      ['failed', 'broken schema'],
      ['got', 'two'],
    ])
  })

  test('nothing comes after it was taken back, although a schema was still at it', async () => {
    const back = add(slow)
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
    add(schema)
    send('a', 'x')
    await settled()
    expect(log).toEqual([['got', 'x']])
  })

  test('a schema that rejects while a message before is at work → reported in its place, and handled', async () => {
    const rejecting: StandardSchemaV1 = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          value === 'slow'
            ? new Promise((resolve) => setTimeout(() => resolve({ value }), 10))
            : Promise.reject(new Error('broken schema')),
      },
    }
    const unhandled: unknown[] = []
    const listener = (cause: unknown) => unhandled.push(cause)
    process.on('unhandledRejection', listener)
    add(rejecting)
    send('a', 'slow')
    send('a', 'fast')
    await settled()
    process.off('unhandledRejection', listener)
    expect(log).toEqual([
      ['got', 'slow'],
      ['failed', 'broken schema'],
    ])
    expect(unhandled).toEqual([])
  })
})
