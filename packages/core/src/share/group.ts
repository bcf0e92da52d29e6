import { bad } from '../errors.js'
import type { Options } from '../options.js'

/** A text as two numbers: the names of locks are not to show what is secret in it. */
function digestOf(text: string): string {
  let [a, b] = [1, 2]
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x9e3779b1)
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b)
  }
  return `${a} ${b}`
}

/** The name of those clients that share a connection. Throws a `bad-option` error if nothing tells them from others. */
export function groupOf(
  {
    environment: _,
    logger: __,
    signal: ___,
    share: ____,
    persist: _____,
    onUnauthorized: ______,
    protocol,
    messageTemplate,
    ...others
  }: Options,
  key: string | undefined,
): string {
  const plain = (name: string, value: unknown): unknown => {
    if (typeof value === 'function' && key === undefined) {
      throw bad(`'${name}' is a function: tell share({ key: '…' }) which clients have the same.`)
    }
    // A transport.
    const { open, name: mode } = (value ?? {}) as { open?: unknown; name?: string }
    return open ? mode : value
  }
  // The number changes with what tabs say to each other.
  const text = JSON.stringify([1, key, others, protocol?.settings ?? protocol, messageTemplate?.text], plain)
  return `pushstream ${digestOf(text)}`
}
