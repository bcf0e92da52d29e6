import fc from 'fast-check'

/**
 * How long a property is tried: few times by default, and not for ever on a busy machine, so that the tests stay quick.
 * `FUZZ_RUNS` says otherwise.
 */
export const runs = (usual = 200): { numRuns: number; interruptAfterTimeLimit?: number } => {
  const asked = process.env.FUZZ_RUNS
  return asked === undefined ? { numRuns: usual, interruptAfterTimeLimit: 4000 } : { numRuns: Number(asked) }
}

/** Any string at all, lone surrogates too. */
export const anyString = (maxLength = 20): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.integer({ max: 127, min: 0 }), fc.integer({ max: 0xffff, min: 0 })), { maxLength })
    .map((units) => String.fromCharCode(...units))

/** Any string that UTF-8 can write. */
export const wellFormed = (maxLength = 20): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(anyString(3), fc.constantFrom('😀', 'é', '%', '/', '🏳️‍🌈')), { maxLength })
    .map((parts) => parts.join('').replace(/\p{Cs}/gu, ''))
