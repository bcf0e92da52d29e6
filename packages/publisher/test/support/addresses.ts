import fc from 'fast-check'

const hexOf = (char: string, upper: boolean) => {
  const code = char.charCodeAt(0).toString(16).padStart(2, '0')
  return `%${upper ? code.toUpperCase() : code}`
}

/** Every way to write a name that we know of. */
function spellings(name: string): string[] {
  const all = (text: string, encode: (char: string) => string) => [...text].map(encode).join('')
  const once = all(name, (char) => hexOf(char, false))
  const again = (text: string) => text.replaceAll('%', '%25')
  const mixed = [...name].map((char, i) => (i % 2 ? hexOf(char, true) : char)).join('')
  return [
    name,
    once,
    all(name, (char) => hexOf(char, true)),
    mixed,
    again(mixed),
    again(once),
    again(again(once)),
    // Every character encoded in turn, once and twice.
    ...[...name].map((char, i) => name.slice(0, i) + hexOf(char, false) + name.slice(i + 1)),
    ...[...name].map((char, i) => name.slice(0, i) + again(hexOf(char, true)) + name.slice(i + 1)),
    // The percent sign itself in pieces.
    ...[...name].map((char, i) => name.slice(0, i) + hexOf(char, false).replace('%', '%2%35') + name.slice(i + 1)),
    // What a lenient decoder drops.
    `%zz${name}`,
    `%25z${name}`,
    `%2525${name}`.replace('%2525', '%25'),
    `${name}%`,
    `${name}%25`,
    `%25${name}`,
  ]
}

/** Addresses by which somebody who may have `allowed` asks for `secret`, in all ways that we know of. */
export function attacks(secret: string, allowed: string): string[] {
  const ends = [
    '',
    '.b5',
    '%2Eb5',
    '%252Eb5',
    '.b5.b0',
    '/',
    '%2F',
    '%252F',
    '%0A',
    '%250A',
    '%0D',
    '%00',
    '%2500',
    ';',
    ';x',
    '%3F',
    '%253F',
    '%3Fx',
    '%23',
    '%20',
    '%2520',
    '/.',
    '/%2e',
    '//',
    '%0Ax',
    '?',
    '?x',
    '#',
    '.',
    '..',
  ]
  const befores = ['', `${allowed}/`, `${allowed}%2F`, `${allowed}%252F`, `${allowed}%25252F`, `${allowed}.b1/`, `${allowed}.b1%2f`, '/', './', '%2e/', `${allowed}/../`, `${allowed}/%2e%2e/`, `${allowed}%2F..%2F`, `${allowed}/%252e%252e/`, `${allowed}%0A/`, `${allowed}%250A%252F`, `${allowed}%3F/`, `${allowed}%253F%252F`, `${allowed}%253F%2F`, `${allowed}//`, '%2F', '%252F'] // biome-ignore format: lists
  const paths = spellings(secret).flatMap((spelling) => [
    ...ends.map((end) => spelling + end),
    ...befores.map((before) => before + spelling),
  ])
  return paths.flatMap((path) => [
    `/ev/${path}`,
    `/ev/?channels=${path}`,
    `/ev?channels=${allowed}&channels=${path}`,
    `/ev?CHANNELS=${path}&channels=${allowed}`,
    `/ev/${allowed}?channels=${path}`,
    `/ev/${path}?channels=${allowed}`,
    `/%65v/${path}`,
    `/ev//${path}`,
    `/x/../ev/${path}`,
    `//ev/${path}`,
  ])
}

/** Any address, of pieces that have a meaning to somebody. */
export const uri = (secret: string, allowed: string): fc.Arbitrary<string> => {
  const piece = fc.oneof(
    fc.constantFrom(secret, allowed, `${allowed}/`, `${secret}/`),
    fc.constantFrom('/', '%2F', '%252F', '.', '%2E', '%252e', '.b5', '.b', '%25', '%2525', '%', '%2', '?', '%3F', '%253F', '+', '%20', '%00', '%2500', '%0A', '%250A', ';', '&', '=', '&channels=', '?channels=', '#', '%23', '//', '..', '../'), // biome-ignore format: a list
    fc.constantFrom(...spellings(secret), ...spellings(allowed)),
  )
  return fc
    .tuple(
      fc.constantFrom('/ev/', '/ws/', '/ev?channels=', '/ev/?channels=', '/lp/', '/%65v/', '/ev'),
      fc.array(piece, { minLength: 1, maxLength: 5 }),
    )
    .map(([begin, pieces]) => begin + pieces.join(''))
}
