import { describe, expect, test } from 'vitest'

interface Style {
  offences(text: string, how?: { sentences?: boolean }): { offset: number; found: string; instead: string }[]
}

const { offences }: Style = await import(new URL('../release/style.mjs', import.meta.url).href)
const found = (text: string) => offences(text).map((one) => one.found)

describe('words', () => {
  test.each([
    ['Nobody knows.', 'Nobody'],
    ['The error is told to listeners.', 'is told'],
    ['A relay beside the page.', 'beside'],
    ['After the trouble it goes on.', 'trouble'],
    ['An event without data is none.', 'is none'],
    ["Messages that can't be had any more.", "can't be had"],
    ['It is carried only by its users.', 'is carried only by'],
    ['It is shipped only by who imports it.', 'by who'],
    ['A text that is no JSON.', 'is no JSON'],
    ['Then it begins anew.', 'anew'],
  ])('%s → %s', (text, word) => {
    expect(found(text)).toEqual([word])
  })

  test.each([
    ['Texts that can be told apart.'],
    ['See troubleshooting.'],
    ['There is none.'],
    ['There is no gap, and the channel is no longer asked for.'],
    ['It notifies an application of who subscribes.'],
    ['The besides of nobodyness.'],
  ])('%s → fine', (text) => {
    expect(found(text)).toEqual([])
  })
})

describe('the subject of a sentence', () => {
  test.each([
    ['What is published meanwhile is lost.', 'What is published meanwhile is lost.'],
    ['It goes on. Whoever had come as far follows it.', 'Whoever had come as far follows it.'],
    ['It says what is known. What the server lost is a §.', 'What the server lost is a §.'],
  ])('%s → a clause', (text, clause) => {
    expect(found(text)).toEqual([clause])
  })

  test.each([
    ['What happens to messages when a server is gone?'],
    ['What you can do.'],
    ['It says what the server lost in a restart.'],
    ['What if a server is gone? It tries the next one, and what it sent.'],
    ['What each one does'],
  ])('%s → fine', (text) => {
    expect(found(text)).toEqual([])
  })

  test('a heading or a table → may begin with anything', () => {
    expect(offences('What is published meanwhile is lost.', { sentences: false })).toEqual([])
  })
})

test('two in one text → both, each where it is', () => {
  expect(offences('Nobody stands beside it.').map(({ offset }) => offset)).toEqual([0, 14])
})
