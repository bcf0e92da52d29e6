/** The word that was probably meant by another: the closest, if it is close enough for its length. */
function meant(word: string, words: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const one of words) {
    const distance = editsBetween(word.toLowerCase(), one.toLowerCase())
    if (distance >= least) continue
    least = distance
    best = one
  }
  return best
}

/** A question to put behind an error about an unknown word. Empty where nothing is close. */
export function question(word: string, words: Iterable<string>): string {
  const one = meant(word, words)
  return one === undefined ? '' : ` Did you mean '${one}'?`
}

/** How many characters have to be added, removed, replaced or swapped with the next one. */
function editsBetween(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] as number) + Number(a[i - 1] !== b[j - 1])
      next[j] = Math.min(changed, (row[j] as number) + 1, (next[j - 1] as number) + 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) next[j] = Math.min(next[j] as number, (before[j - 2] as number) + 1)
    }
    before = row
    row = next
  }
  return row[b.length] as number
}

/** Makes `parseArgs` say which option was meant by one that there is not. */
export function explained(error: unknown, options: object): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return error
  const option = /'(-[^' ]+)/.exec(String(message))?.[1] ?? ''
  const names = Object.keys(options).map((name) => `--${name}`)
  return Object.assign(new Error(`Unknown option '${option}'.${question(option, names)}`), { code })
}
