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

/** Routes messages to functions by channel and type, as fast for a thousand processors as for one. */
export class Processors {
  readonly #all = new Set<Processor>()
  /** By the channel of a message, then by its type: whom it concerns. Made when a channel's first message comes. */
  readonly #routes = new Map<string, Map<string, Processor[]>>()
  readonly #events: ProcessorEvents

  constructor(events: ProcessorEvents) {
    this.#events = events
  }

  /** Registers, and returns what takes it back. */
  add(channel: string, type: string, process: Process, schema: StandardSchemaV1 | undefined): () => void {
    const processor: Processor = { channel, type, process, schema, tail: undefined }
    this.#all.add(processor)
    this.#routes.clear()
    return () => {
      this.#all.delete(processor)
      this.#routes.clear()
    }
  }

  clear(): void {
    this.#all.clear()
    this.#routes.clear()
  }

  /** Hands a message to whom it concerns, in the order of registration. Says how many that were. */
  route(message: Message, typeOf = (one: Message) => one.type): number {
    if (this.#all.size === 0) return 0
    const types = this.#routes.get(message.channel) ?? this.#typesOf(message.channel)
    const concerned = types.get(typeOf(message) ?? any) ?? (types.get(any) as Processor[])
    for (const processor of concerned) {
      if (processor.schema === undefined) this.#call(processor, message.data, message)
      else this.#validate(processor, processor.schema, message)
    }
    return concerned.length
  }

  /** A channel's processors, by the types that they name; under `*` those for a message of any other type. */
  #typesOf(channel: string): Map<string, Processor[]> {
    const others: Processor[] = []
    const types = new Map([[any, others]])
    for (const processor of this.#all) {
      if (processor.channel !== channel && processor.channel !== any) continue
      if (processor.type === any) for (const list of types.values()) list.push(processor)
      else {
        const list = types.get(processor.type) ?? [...others]
        list.push(processor)
        types.set(processor.type, list)
      }
    }
    this.#routes.set(channel, types)
    return types
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
      if (!this.#all.has(processor)) return
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
