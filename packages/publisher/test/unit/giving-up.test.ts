import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Asked, errorOf, refused, scripted, taken } from '../support/scripted.js'

// A signal, or the time, ends every wait: for a place, for headers, for an answer, for the next message.

afterEach(() => {
  vi.useRealTimers()
})

/** Answers nothing, until it is given up. */
const silent = (_: Asked, signal: AbortSignal) =>
  new Promise<Response>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

/** Answers nothing, and doesn't listen to signals, as some runtimes' fetch. */
const deaf = () => new Promise<Response>(() => {})

describe('a wait for one of the places', () => {
  test('ends at once, and the place goes to the next one', async () => {
    let answer: (response: Response) => void = () => {}
    const { publisher, asked } = scripted([() => new Promise((resolve) => (answer = resolve)), taken('c')], {
      concurrency: 1,
    })
    const first = publisher.publish('a', '1')
    const abort = new AbortController()
    const second = errorOf(publisher.publish('b', '2', { signal: abort.signal }))
    const third = publisher.publish('c', '3')
    const question = errorOf(publisher.exists('b', { signal: abort.signal }))
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    abort.abort()
    expect(await second).toMatchObject({ code: 'aborted', outcome: 'no', channels: ['b'] })
    expect(await question).toMatchObject({ code: 'aborted', outcome: 'no' })
    answer(taken('a'))
    await Promise.all([first, third])
    expect(asked.map(({ body }) => body)).toEqual(['1', '3'])
  })

  test('never begins for a signal that was aborted before', async () => {
    const { publisher, asked } = scripted([deaf], { concurrency: 1, timeout: 50, retry: { attempts: 0 } })
    const first = errorOf(publisher.publish('a', '1'))
    const signal = AbortSignal.abort()
    expect(await errorOf(publisher.exists('b', { signal }))).toMatchObject({ code: 'aborted', outcome: 'no' })
    await first
    expect(asked).toHaveLength(1)
  })
})

describe('headers that are not there', () => {
  const never = () => new Promise<Headers>(() => {})

  test('hold up an attempt no longer than its time, and nothing was sent', async () => {
    vi.useFakeTimers()
    const { publisher, asked } = scripted([taken()], { headers: never, timeout: 500, retry: { attempts: 1, delay: 0 } })
    const error = errorOf(publisher.publish('c', 'x'))
    await vi.advanceTimersByTimeAsync(1001)
    expect(await error).toMatchObject({ code: 'timeout', outcome: 'no', message: expect.stringContaining('headers') })
    expect(asked).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('are given up with the signal', async () => {
    const { publisher } = scripted([taken()], { headers: never })
    const abort = new AbortController()
    const error = errorOf(publisher.publish('c', 'x', { signal: abort.signal }))
    await Promise.resolve()
    abort.abort()
    expect(await error).toMatchObject({ code: 'aborted', outcome: 'no' })
  })

  test('are an error like every other', async () => {
    const { publisher } = scripted([taken()], {
      headers: () => {
        throw new Error('no token')
      },
    })
    expect(await errorOf(publisher.publish('c', 'x'))).toMatchObject({
      code: 'bad-option',
      outcome: 'no',
      channels: ['c'],
      message: expect.stringContaining('no token'),
    })
    expect(await errorOf(publisher.publish(['a', 'b'], 'x'))).toMatchObject({ channels: ['a', 'b'] })
  })
})

describe('a fetch that does not listen', () => {
  test('to the time', async () => {
    vi.useFakeTimers()
    const { publisher } = scripted([deaf], { timeout: 500 })
    const error = errorOf(publisher.publish('c', 'x'))
    await vi.advanceTimersByTimeAsync(500)
    expect(await error).toMatchObject({ code: 'timeout', outcome: 'unknown' })
  })

  test('nor to the signal, while a body comes that never ends', async () => {
    const endless = async () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
    const { publisher } = scripted([endless, taken()])
    const abort = new AbortController()
    const error = errorOf(publisher.publish('c', 'x', { signal: abort.signal }))
    setTimeout(() => abort.abort(), 5)
    expect(await error).toMatchObject({ code: 'aborted', outcome: 'unknown' })
    await publisher.publish('c', 'y')
  })
})

test('a signal that outlives many calls of every kind keeps nothing', async () => {
  const abort = new AbortController()
  const { signal } = abort
  const added = vi.spyOn(signal, 'addEventListener')
  const removed = vi.spyOn(signal, 'removeEventListener')
  const { publisher } = scripted([taken()], { concurrency: 2 })
  await Promise.all(Array.from({ length: 20 }, (_, i) => publisher.publish(i % 2 ? 'c' : 'c', 'x', { signal })))
  await Promise.all(Array.from({ length: 20 }, () => publisher.exists('c', { signal })))
  const messages = Array.from({ length: 300 }, () => ({ channel: 'c', data: 'x' }))
  await publisher.publishAll(messages, { signal })
  for await (const _ of publisher.watch('c', { signal, interval: 1 })) if (added.mock.calls.length > 0) break
  const failing = scripted([refused()], { retry: { attempts: 3, delay: 1 } })
  await errorOf(failing.publisher.publish('c', 'x', { signal }))
  expect(added.mock.calls.length).toBeGreaterThan(0)
  expect(removed.mock.calls.length).toBe(added.mock.calls.length)
})

describe('publishAll', () => {
  test('that waits for the next message ends with its signal', async () => {
    const { publisher } = scripted([taken()])
    const abort = new AbortController()
    let left = false
    const source = {
      [Symbol.asyncIterator]: () => {
        let n = 0
        return {
          next: async () =>
            n++ === 0 ? { done: false as const, value: { channel: 'c', data: 'x' } } : new Promise<never>(() => {}),
          return: async () => {
            left = true
            return { done: true as const, value: undefined }
          },
        }
      },
    }
    const done = publisher.publishAll(source, { signal: abort.signal })
    setTimeout(() => abort.abort(), 10)
    expect(await done).toEqual({ published: 1, failed: [] })
    expect(left).toBe(true)
  })

  test('of an iterable that throws settles what it took before it says so', async () => {
    const { publisher, asked } = scripted([async () => taken()])
    async function* source() {
      yield { channel: 'c', data: '1' }
      yield { channel: 'c', data: '2' }
      throw new Error('the file ends here')
    }
    await expect(publisher.publishAll(source())).rejects.toThrow('the file ends here')
    expect(asked).toHaveLength(2)
    expect(publisher.pending).toBe(0)
  })

  test('its signal ends messages with signals of their own', async () => {
    const { publisher } = scripted([silent])
    const abort = new AbortController()
    const own = new AbortController().signal
    const done = publisher.publishAll([{ channel: 'c', data: 'x', options: { signal: own } }], { signal: abort.signal })
    setTimeout(() => abort.abort(), 5)
    expect((await done).failed).toMatchObject([{ error: { code: 'aborted' } }])
  })

  test('tells of failures as they come, and collects none then', async () => {
    const { publisher } = scripted([async ({ body }) => new Response('', { status: Number(body) % 2 ? 403 : 200 })])
    const told: unknown[] = []
    const messages = Array.from({ length: 10 }, (_, n) => ({ channel: 'c', data: n }))
    const result = await publisher.publishAll(messages, { onFailed: ({ message }) => told.push(message.data) })
    expect(result).toEqual({ published: 5, failed: [] })
    expect(told).toEqual([1, 3, 5, 7, 9])
  })

  test('stops with what is told when that throws', async () => {
    const { publisher } = scripted([new Response('', { status: 403 })])
    let taken = 0
    function* endless() {
      for (;;) {
        taken++
        yield { channel: 'c', data: 'x' }
      }
    }
    const enough = () => {
      throw new Error('enough')
    }
    await expect(publisher.publishAll(endless(), { onFailed: enough })).rejects.toThrow('enough')
    expect(taken).toBeLessThan(300)
    expect(publisher.pending).toBe(0)
  })
})

test('flush waits for what was given before, and not for what came later', async () => {
  const answers: ((response: Response) => void)[] = []
  const { publisher } = scripted([() => new Promise((resolve) => answers.push(resolve))])
  void publisher.publish('a', '1')
  let flushed = false
  const flush = publisher.flush().then(() => {
    flushed = true
  })
  const later = publisher.publish('b', '2')
  await vi.waitFor(() => expect(answers).toHaveLength(2))
  expect(flushed).toBe(false)
  answers[0]?.(taken('a'))
  await flush
  expect(publisher.pending).toBe(1)
  answers[1]?.(taken('b'))
  await later
  expect(publisher.pending).toBe(0)
})

test('what was given up is not pending any more, though its turn has not come', async () => {
  const { publisher } = scripted([silent])
  const abort = new AbortController()
  const first = errorOf(publisher.publish('c', '1', { signal: abort.signal }))
  const waiting = new AbortController()
  const others = Array.from({ length: 5 }, () => errorOf(publisher.publish('c', 'x', { signal: waiting.signal })))
  waiting.abort()
  await Promise.all(others)
  expect(publisher.pending).toBe(1)
  abort.abort()
  await first
})

test.each([Number.POSITIVE_INFINITY, 2 ** 31, -1, Number.NaN])('watch takes no interval of %d', async (interval) => {
  const { publisher, asked } = scripted([taken()])
  await expect(publisher.watch('c', { interval }).next()).rejects.toMatchObject({ code: 'bad-option' })
  expect(asked).toEqual([])
})

test('no more waits than is allowed to: a server that is away fills no memory', async () => {
  const { publisher } = scripted([silent, taken()], { maxPending: 3 })
  const abort = new AbortController()
  const three = Array.from({ length: 3 }, () => errorOf(publisher.publish('c', 'x', { signal: abort.signal })))
  for (const one of [publisher.publish('c', 'x'), publisher.publish('d', 'x'), publisher.open('e')]) {
    expect(await errorOf(one)).toMatchObject({ code: 'busy', outcome: 'no', status: undefined })
  }
  expect(publisher.pending).toBe(3)
  abort.abort()
  await Promise.all(three)
  expect(await publisher.publish('c', 'x')).toMatchObject({ published: 1 })
})
