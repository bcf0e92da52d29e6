import type { Message } from '../message.js'

/** Stands for any name, or any type. */
const any = '*'

// biome-ignore lint/suspicious/noExplicitAny: whoever registers says what it gets
type Process = (data: any, message: any) => void

interface Registered {
  readonly name: string
  readonly type: string
  readonly process: Process
}

/** The `type` of a body: what is a number there is registered as that number, or as text. */
function typeOf(message: Message): string | undefined {
  const { data } = message
  if (typeof data === 'object' && data !== null && Object.hasOwn(data, 'type')) {
    const { type } = data as { type: unknown }
    if (typeof type === 'number' || typeof type === 'boolean') return String(type)
  }
  return message.type
}

/** Functions by channel and type, called in the order of their registration. */
export class Router {
  #all: readonly Registered[] = []

  /** Registers, and returns what takes it back. */
  add(name: string, type: string, process: Process): () => void {
    const mine = { name, type, process }
    // A new list, so that a message on its way is not disturbed.
    this.#all = [...this.#all, mine]
    return () => {
      this.#all = this.#all.filter((other) => other !== mine)
    }
  }

  clear(): void {
    this.#all = []
  }

  /** Says how many were called. `failed` is told of those that threw: they disturb nobody. */
  route(message: Message, failed: (cause: unknown) => void): number {
    const all = this.#all
    if (all.length === 0) return 0
    const type = typeOf(message)
    let called = 0
    for (const { name, type: wanted, process } of all) {
      if ((name !== message.channel && name !== any) || (wanted !== type && wanted !== any)) continue
      called++
      try {
        process(message.data, message)
      } catch (cause) {
        failed(cause)
      }
    }
    return called
  }
}
