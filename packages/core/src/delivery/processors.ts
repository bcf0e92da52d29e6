import type { Message } from '../message.js'

/** Stands for any channel, or any type. */
const any = '*'

/** What a processor is told besides the data. */
export type Process = (data: unknown, message: Message) => void

interface Processor {
  readonly channel: string
  readonly type: string
  readonly process: Process
}

/** Routes messages to functions by channel and type, as fast for a thousand processors as for one. */
export class Processors {
  readonly #all = new Set<Processor>()
  /** By the channel of a message, then by its type: whom it concerns. Made when a channel's first message comes. */
  readonly #routes = new Map<string, Map<string, Processor[]>>()
  readonly #failed: (cause: unknown, message: Message) => void

  constructor(failed: (cause: unknown, message: Message) => void) {
    this.#failed = failed
  }

  /** Registers, and returns what takes it back. */
  add(channel: string, type: string, process: Process): () => void {
    const processor: Processor = { channel, type, process }
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
      try {
        processor.process(message.data, message)
      } catch (cause) {
        this.#failed(cause, message)
      }
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
}
