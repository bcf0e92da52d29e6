// Channel names with which the tests try the client and the publisher. If a name breaks one of them, add it here.

const long = 'x'.repeat(10_000)

/** Accepted by every server, but not valid in a URL without encoding. */
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

/** Accepted by the push stream module, which reads the number of stored messages (`.b5`) at the end of a name. */
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

/** Accepted by Nchan, whose names may have several path segments. */
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

/** A few different names, for tests that make many requests for each. */
export const fewNames = ['plain', 'with space', 'a+b%41', 'quo"te\\', 'x.b5', 'é😀', '.hidden', '..', 'a&b=c#d;e']

type Refusal = [name: unknown, why: string]

/** Refused by the client for every server. */
const refused: readonly Refusal[] = [
  ['', 'at least one character'],
  ['\ud800', 'Unicode'],
  ['a\udc00b', 'Unicode'],
  [undefined, 'text'],
  [7, 'text'],
  [null, 'text'],
]

/** Refused by the client for the push stream module, with a word of the error. */
export const refusedByPushStream: readonly Refusal[] = [
  ...refused,
  ['a/b', "'/'"],
  ['/', "'/'"],
  ['a?b', "'?'"],
  // Reading this sends a worker of the module into an endless loop.
  ['a\n', 'control characters'],
  ['\0', 'control characters'],
]

/** Refused by the client for Nchan. */
export const refusedByNchan: readonly Refusal[] = [
  ...refused,
  ['.', 'path'],
  ['..', 'path'],
  // nginx merges slashes and resolves dot segments after decoding: these would be other channels or locations.
  ['/a', 'path'],
  ['a//b', 'path'],
  ['a/./b', 'path'],
  ['x/../y', 'path'],
  ['../secret', 'path'],
  ['a/..', 'path'],
  // The `$` of a location's expression also matches before a line end: this would be 'x'.
  ['x\n', 'control'],
  ['a\u0085', 'control'],
]

/** Refused by the publisher for the push stream module. */
export const refusedByPublisher = ['', 'a/b', 'a?b', 'ALL', 'a*', '\ud800', 'a\n', 'a\u0000']

/** Refused by the publisher for every server, because of their control characters. */
export const controlNames = ['a\u0080b', 'a\u0085', '\u009fa', 'a\n', '\ta', 'a\u007f']
