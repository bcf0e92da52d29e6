import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Message } from '../message.js'

/** Stands for any channel, or any type. */
export const any = '*'

/** What a processor is told besides the data. */
export type Process = (data: unknown, message: Message) => void

interface Processor {
  readonly channel: string
  readonly type: string
  readonly process: Process
  readonly schema: StandardSchemaV1 | undefined
  /** Where a schema answers later, messages still come one after the other. */
  tail: Promise<void> | undefined
}

export interface ProcessorEvents {
  failed(cause: unknown, message: Message): void
  /** The data is not what the processor's schema wants. */
  invalid(message: Message, issues: readonly StandardSchemaV1.Issue[]): void
}

/** Routes messages to functions by channel and type. */
export class Processors {
  #all: Processor[] = []
  readonly #events: ProcessorEvents

  constructor(events: ProcessorEvents) {
    this.#events = events
  }

  /** Registers, and returns what takes it back. */
  add(channel: string, type: string, process: Process, schema: StandardSchemaV1 | undefined): () => void {
    const processor: Processor = { channel, type, process, schema, tail: undefined }
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
      if (processor.schema === undefined) this.#call(processor, message.data, message)
      else this.#validate(processor, processor.schema, message)
    }
    return called
  }

  #call(processor: Processor, data: unknown, message: Message): void {
    try {
      processor.process(data, message)
    } catch (cause) {
      this.#events.failed(cause, message)
    }
  }

  #validate(processor: Processor, schema: StandardSchemaV1, message: Message): void {
    const finish = (result: StandardSchemaV1.Result<unknown>) => {
      if (!this.#all.includes(processor)) return
      if (result.issues) this.#events.invalid(message, result.issues)
      else this.#call(processor, result.value, message)
    }
    const fail = (cause: unknown) => this.#events.failed(cause, message)
    try {
      const result = schema['~standard'].validate(message.data)
      if (!('then' in result) && processor.tail === undefined) return finish(result)
      const mine = Promise.resolve(processor.tail)
        .then(() => result)
        .then(finish, fail)
      processor.tail = mine
      void mine.then(() => {
        if (processor.tail === mine) processor.tail = undefined
      })
    } catch (cause) {
      fail(cause)
    }
  }
}
