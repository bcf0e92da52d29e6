import { onAbort } from './aborts.js'

interface Task {
  readonly channels: readonly string[]
  /** At how many of its channels others are before it. */
  behind: number
  begin(): void
}

/**
 * Puts work in the order of its channels: on each of them one after the other, on different ones beside each other. Work
 * for several channels has its place on all of them, from when it was given.
 */
export class ChannelQueue {
  readonly #waiting = new Map<string, Task[]>()
  readonly #pending = new Set<Promise<unknown>>()

  /** What waits or is being done, and was not given up. */
  get size(): number {
    return this.#pending.size
  }

  /** Does the work when it is its turn. Work whose signal is aborted before is never begun: `aborted` makes the error. */
  run<T>(channels: readonly string[], work: () => Promise<T>, signal?: AbortSignal, aborted?: () => Error): Promise<T> {
    const result = new Promise<T>((resolve, reject) => {
      let todo: (() => Promise<T>) | undefined = work
      const giveUp = () => {
        // Its place in the line stays, and nothing of what it was.
        todo = undefined
        reject(aborted?.() ?? (signal?.reason as Error))
      }
      const task: Task = {
        channels,
        behind: 0,
        begin: () => {
          off()
          if (todo === undefined) return this.#done(task)
          // What fails is its caller's business; those behind go on.
          todo()
            .then(resolve, reject)
            .finally(() => this.#done(task))
        },
      }
      for (const channel of channels) {
        const line = this.#waiting.get(channel)
        if (line === undefined) this.#waiting.set(channel, [task])
        else {
          line.push(task)
          task.behind++
        }
      }
      const off = onAbort(signal, giveUp)
      if (signal?.aborted) giveUp()
      if (task.behind === 0) task.begin()
    })
    this.#pending.add(result)
    const settled = () => this.#pending.delete(result)
    result.then(settled, settled)
    return result
  }

  /** Resolves when everything that was given before is settled. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending)
  }

  #done(task: Task): void {
    const next: Task[] = []
    for (const channel of task.channels) {
      const line = this.#waiting.get(channel) as Task[]
      line.shift()
      const first = line[0]
      if (first === undefined) this.#waiting.delete(channel)
      else if (--first.behind === 0) next.push(first)
    }
    // Not from within each other: a long line of work that was given up would be a deep stack.
    for (const one of next) queueMicrotask(() => one.begin())
  }
}

/** As many at a time as there are places, first come, first served. */
export class Slots {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  /** Does the work when there is a place. Rejects with what `aborted` makes when the signal is aborted before. */
  async with<T>(work: () => Promise<T>, signal?: AbortSignal, aborted?: () => Error): Promise<T> {
    if (this.#free > 0) this.#free--
    else await this.#place(signal, aborted)
    try {
      return await work()
    } finally {
      const [next] = this.#waiting
      if (next === undefined) this.#free++
      else next()
    }
  }

  #place(signal: AbortSignal | undefined, aborted: (() => Error) | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        off()
        this.#waiting.delete(begin)
      }
      const begin = () => {
        leave()
        resolve()
      }
      const giveUp = () => {
        leave()
        reject(aborted?.() ?? (signal?.reason as Error))
      }
      this.#waiting.add(begin)
      const off = onAbort(signal, giveUp)
      if (signal?.aborted) giveUp()
    })
  }
}
