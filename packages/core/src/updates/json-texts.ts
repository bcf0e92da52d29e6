/** How often a text that is no JSON is searched for where JSON goes on: more would take for ever on a text made for that. */
const patience = 100

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Where the object, array or string ends that begins here; -1 if it doesn't. */
function endOf(text: string, from: number): number {
  let depth = 0
  let quoted = false
  for (let at = from; at < text.length; at++) {
    const char = text[at]
    if (quoted) {
      if (char === '\\') at++
      else if (char === '"') quoted = false
      else continue
    } else if (char === '"') quoted = true
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
    else if (depth > 0) continue
    else return -1
    if (depth === 0 && !quoted) return at + 1
  }
  return -1
}

/** The JSON text that begins here, up to where it ends; -1 if there is none. */
function valueEnd(text: string, from: number): number {
  // One of these that goes on otherwise is the beginning of a plain text.
  const bare = /(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=\s*(?:["{[]|$))/y
  bare.lastIndex = from
  if (bare.test(text)) return bare.lastIndex
  const end = endOf(text, from)
  return end >= 0 && parses(text.slice(from, end)) ? end : -1
}

/**
 * Splits JSON texts that follow each other without a delimiter. What is no JSON is one text, up to the next object or
 * array. Numbers that follow each other are one: nothing shows where the first of them ends.
 */
export function jsonTexts(text: string): string[] {
  if (parses(text)) return [text]
  const texts: string[] = []
  let tries = 0
  let at = 0
  while (at < text.length) {
    if (/\s/.test(text[at] as string)) {
      at++
      continue
    }
    let end = valueEnd(text, at)
    if (end < 0) {
      // Whatever this is, it lasts until an object or an array begins that is whole.
      const next = /[{[]/g
      next.lastIndex = at + 1
      end = text.length
      for (let found = next.exec(text); found !== null && tries++ < patience; found = next.exec(text)) {
        if (valueEnd(text, found.index) < 0) continue
        end = found.index
        break
      }
    }
    texts.push(text.slice(at, end))
    at = end
  }
  return texts.length > 0 ? texts : [text]
}
