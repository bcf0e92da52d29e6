import { onAbort } from './aborts.js'

interface Task {
  readonly channels: readonly string[]
  /** On how many of its channels other tasks are before it. */
  behind: number
  begin(): void
}

/**
 * Runs tasks in the order of their channels: one at a time on each channel, in parallel on different ones. A task for
 * several channels takes its place on all of them when it is added.
 */
export class ChannelQueue {
  readonly #waiting = new Map<string, Task[]>()
  readonly #pending = new Set<Promise<unknown>>()

  /** The number of tasks that wait or run, without aborted ones. */
  get size(): number {
    return this.#pending.size
  }

  /** Runs a task when its turn comes. If the signal is aborted before, it never starts and rejects with `aborted()`. */
  run<T>(channels: readonly string[], work: () => Promise<T>, signal?: AbortSignal, aborted?: () => Error): Promise<T> {
    const result = new Promise<T>((resolve, reject) => {
      let todo: (() => Promise<T>) | undefined = work
      const giveUp = () => {
        // The task keeps its place, but must not keep the work in memory.
        todo = undefined
        reject(aborted?.() ?? (signal?.reason as Error))
      }
      const task: Task = {
        channels,
        behind: 0,
        begin: () => {
          off()
          if (todo === undefined) return this.#done(task)
          // A failure rejects only this call. Later tasks go on.
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

  /** Resolves when all tasks that were added before are settled. */
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
    // In a microtask, because a long line of aborted tasks would overflow the stack.
    for (const one of next) queueMicrotask(() => one.begin())
  }
}

/** Runs at most `count` tasks at a time, in order. */
export class Slots {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  /** Runs a task when a slot is free. If the signal is aborted before, it rejects with `aborted()`. */
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
