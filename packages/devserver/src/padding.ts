/** One entry of `paddingByUserAgent`. */
export interface Padding {
  agent: RegExp
  /** Least bytes of the header template. */
  header: number
  /** Least bytes of a message. */
  message: number
}

/** Reads `pattern,header,message`, several joined by `:`. */
export function parsePaddings(source: string): Padding[] {
  if (source === '') return []
  return [...source.split(/(?<=\d):/)].map((entry) => {
    const match = /^([^:]+),(\d+),(\d+)$/.exec(entry)
    if (match === null) throw new Error(`setting "paddingByUserAgent": "${entry}" is not pattern,bytes,bytes`)
    return { agent: new RegExp(match[1]!), header: Number(match[2]), message: Number(match[3]) }
  })
}

/** The filling that follows `length` bytes: whole hundreds, as the module has it. */
export function paddingFor(least: number, length: number, eventsource: boolean): Buffer | null {
  const missing = least - length
  if (missing <= 0) return null
  const size = (Math.floor(missing / 100) + 1) * 100
  return Buffer.from(eventsource ? `${':'.repeat(size - 1)}\n` : '\r\n'.repeat(size / 2))
}
