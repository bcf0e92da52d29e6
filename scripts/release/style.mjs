/**
 * The words and sentences that our English does without. `pattern` is looked for in the text of a paragraph, heading, list
 * item or table cell, where every piece of code is a `§`. `instead` says what to write.
 */
export const style = [
  { pattern: /\bnobody\b/gi, instead: "'no one', or a passive" },
  { pattern: /\b(?:is|are|was|were|be|been|being|not) told\b(?! apart)/gi, instead: "'reported' or 'known'" },
  { pattern: /\bbeside\b/gi, instead: "'next to' or 'in addition to'" },
  { pattern: /\btroubles?\b/gi, instead: "'error', 'problem' or 'failure'" },
  { pattern: /\b(?<!there )(?:is|are|was|were) none\b(?! of\b)/gi, instead: "'is not a …'" },
  { pattern: /\b(?:can't|cannot|can not|could not|couldn't) be had\b/gi, instead: "'is no longer available'" },
  { pattern: /\b(?:is|are) carried (?:only )?by\b/gi, instead: "'is bundled with', or say what carries it" },
  {
    pattern: /\b(?:by|for|to|from|than|so that|because|if|where|when|that) who\b/gi,
    instead: "a noun: 'for users who …'",
  },
  {
    // Five words at least, and no question: 'What it does.' may be a label.
    pattern: /\b(?:what|whatever|who|whoever)\b(?! (?:if|about)\b)(?:[^.?!]*? ){4}[^.?!]*?\.(?! ?§)/gi,
    instead: 'a thing as the subject',
    start: true,
  },
  {
    pattern:
      /(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|one\b|more\b|less\b|different\b|better\b|worse\b|further\b|§)\w+/gi,
    instead: "'is not a …'",
  },
  { pattern: /\banew\b/gi, instead: "'again' or 'from the beginning'" },
]
const START = /(?:^|[.?!]["')\]]? )\s*$/

/** What of this text offends, as `{ offset, found, instead }`. */
export function offences(text, { sentences = true } = {}) {
  return style.flatMap(({ pattern, instead, start = false }) => {
    if (start && !sentences) return []
    const found = [...text.matchAll(pattern)]
    return found
      .filter(({ index }) => !start || START.test(text.slice(0, index)))
      .map(({ 0: words, index }) => ({ offset: index, found: words, instead }))
  })
}
