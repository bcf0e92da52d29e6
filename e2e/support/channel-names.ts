// The channel names that the tests try on the pages' client and on the publisher. A name that has broken one of them belongs here.

const long = 'x'.repeat(10_000)

/** Taken by every server, but not to be put into an address as they are. */
const taken = [
  'a',
  'x.b5',
  '%2F',
  '%252F',
  '%',
  '%zz',
  '...',
  '. .',
  '%2e%2e',
  'a=b=c&d',
  '#',
  '+',
  ' ',
  '\\',
  '..\\x',
  ':',
  ';',
  '"',
  "'",
  '<script>',
  '__proto__',
  '🦊',
  'é',
  '\u2028',
  long,
]

/** Taken by the push stream module, which looks for the number of stored messages (`.b5`) at a name's end. */
export const pushStreamNames = [
  ...taken,
  'x.b5.b6',
  '.b5',
  'x.b',
  'x.b5y',
  '.',
  '..',
  'a#b',
  'a+b c',
  '&channels=b',
  'constructor',
  '🦊'.repeat(1000),
]

/** Taken by Nchan, where a name may be several steps of a path. */
export const nchanNames = [
  ...taken,
  '..%2F',
  'a/b',
  'a/b/c',
  'a/',
  '.a',
  'a.',
  'a/.b',
  '?',
  'a?b#c',
  ',',
  '$&',
  '$1',
  "$'",
  '{channel}',
]

/** A few that servers keep apart, for tests that make many requests for each. */
export const fewNames = ['plain', 'with space', 'a+b%41', 'quo"te\\', 'x.b5', 'é😀', '.hidden', '..', 'a&b=c#d;e']

type Refusal = [name: unknown, why: string]

/** Refused by the client, whatever the server. */
const refused: readonly Refusal[] = [
  ['', 'at least one character'],
  ['\ud800', 'Unicode'],
  ['a\udc00b', 'Unicode'],
  [undefined, 'text'],
  [7, 'text'],
  [null, 'text'],
]

/** Refused by the client of the push stream module, with a word of the reason. */
export const refusedByPushStream: readonly Refusal[] = [
  ...refused,
  ['a/b', "'/'"],
  ['/', "'/'"],
  ['a?b', "'?'"],
  // A worker of the module never comes out of reading this.
  ['a\n', 'control characters'],
  ['\0', 'control characters'],
]

/** Refused by the client of Nchan. */
export const refusedByNchan: readonly Refusal[] = [
  ...refused,
  ['.', 'path'],
  ['..', 'path'],
  // nginx merges slashes and takes steps after it has decoded: these would be other channels, or other locations.
  ['/a', 'path'],
  ['a//b', 'path'],
  ['a/./b', 'path'],
  ['x/../y', 'path'],
  ['../secret', 'path'],
  ['a/..', 'path'],
  // The end of a location's expression is also before a line end: this would be 'x'.
  ['x\n', 'control'],
  ['a\u0085', 'control'],
]

/** Refused by the publisher of the push stream module. */
export const refusedByPublisher = ['', 'a/b', 'a?b', 'ALL', 'a*', '\ud800', 'a\n', 'a\u0000']

/** Refused by the publisher whatever the server, for the control characters in them. */
export const controlNames = ['a\u0080b', 'a\u0085', '\u009fa', 'a\n', '\ta', 'a\u007f']
