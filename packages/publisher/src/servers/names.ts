import { PublisherError } from '../errors.js'

/** Refuses a name. */
export const refuseName = (channel: unknown, why: string): never => {
  const name = String(channel)
  throw new PublisherError('bad-channel', `A channel name ${why}: ${JSON.stringify(name.slice(0, 80))}`, {
    channels: [name],
  })
}

/** What no name has, wherever the pages' client and this one agree on names. */
export const control = /\p{Cc}/u

/** A text of at least one character, that can be encoded. */
export function checkText(channel: unknown): asserts channel is string {
  if (typeof channel !== 'string' || channel === '') refuseName(channel, 'is a text of at least one character')
  try {
    encodeURIComponent(channel as string)
  } catch {
    refuseName(channel, 'is well-formed Unicode')
  }
}

/** An address with the place for a name in it, where `{channel}` stands. */
export class Address {
  readonly #before: string
  readonly #after: string
  /** Whether the name goes into the path, and not into the query. */
  readonly inPath: boolean

  /** Throws `bad-option` for a text without exactly one `{channel}`. */
  constructor(template: unknown, option: string, refuse: (message: string) => Error) {
    const parts = typeof template === 'string' ? template.split('{channel}') : []
    if (parts.length !== 2) throw refuse(`'${option}' takes an address with {channel} in it, like '/pub?id={channel}'.`)
    const [before, after] = parts as [string, string]
    this.#before = before.startsWith('/') ? before : `/${before}`
    this.#after = after
    this.inPath = !before.includes('?')
  }

  with(name: string): string {
    return `${this.#before}${name}${this.#after}`
  }
}

/** A value of a header that stands in a template as it is. */
export function headerValue(value: unknown, option: string, refuse: (message: string) => Error): string {
  if (typeof value !== 'string' || !/^[!#-[\]-~](?:[ !#-[\]-~]*[!#-[\]-~])?$/.test(value)) {
    throw refuse(`'${option}' is printable ASCII without quotes and backslashes: it stands in the template as it is.`)
  }
  return value
}

/** A `Content-Type`. */
export function mediaType(value: unknown, refuse: (message: string) => Error): string {
  if (typeof value !== 'string' || !/^[!-~](?:[ -~]*[!-~])?$/.test(value)) {
    throw refuse(`'contentType' is printable ASCII, like 'application/json'.`)
  }
  return value
}
