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
  #idle: (() => void)[] = []

  /** What waits or is being done. */
  size = 0

  /** Does the work when it is its turn. Work whose signal is aborted before is never begun: `aborted` makes the error. */
  run<T>(channels: readonly string[], work: () => Promise<T>, signal?: AbortSignal, aborted?: () => Error): Promise<T> {
    this.size++
    return new Promise<T>((resolve, reject) => {
      let given = false
      const giveUp = () => {
        given = true
        reject(aborted?.() ?? (signal?.reason as Error))
      }
      const task: Task = {
        channels,
        behind: 0,
        begin: () => {
          off()
          if (given) return this.#done(task)
          // What fails is its caller's business; those behind go on.
          work()
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
  }

  /** Resolves when nothing waits and nothing is being done. */
  idle(): Promise<void> {
    return this.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve))
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
    if (--this.size === 0) {
      for (const resolve of this.#idle) resolve()
      this.#idle = []
    }
    // Not from within each other: a long line of work that was given up would be a deep stack.
    for (const one of next) queueMicrotask(() => one.begin())
  }
}

/** As many at a time as there are places, first come, first served. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async with<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
