import type { Message } from '../message.js'

/** Stands for any channel, or any type. */
export const any = '*'

/** What a processor is told besides the data. */
export type Process = (data: unknown, message: Message) => void

interface Processor {
  readonly channel: string
  readonly type: string
  readonly process: Process
}

export interface ProcessorEvents {
  failed(cause: unknown, message: Message): void
}

/** Routes messages to functions by channel and type. */
export class Processors {
  #all: Processor[] = []
  readonly #events: ProcessorEvents

  constructor(events: ProcessorEvents) {
    this.#events = events
  }

  /** Registers, and returns what takes it back. */
  add(channel: string, type: string, process: Process): () => void {
    const processor: Processor = { channel, type, process }
    // A new list, so that a message on its way is not disturbed.
    this.#all = [...this.#all, processor]
    return () => {
      this.#all = this.#all.filter((other) => other !== processor)
    }
  }

  clear(): void {
    this.#all = []
  }

  /** Hands a message to whom it concerns, in the order of registration. Says how many that were. */
  route(message: Message, typeOf = (one: Message) => one.type): number {
    const all = this.#all
    if (all.length === 0) return 0
    const { channel } = message
    const type = typeOf(message)
    let called = 0
    for (const processor of all) {
      if (processor.channel !== channel && processor.channel !== any) continue
      if (processor.type !== type && processor.type !== any) continue
      called++
      try {
        processor.process(message.data, message)
      } catch (cause) {
        this.#events.failed(cause, message)
      }
    }
    return called
  }
}
