/**
 * How long a property is tried: few times by default, and not for ever on a busy machine, so that the tests stay quick.
 * `FUZZ_RUNS` says otherwise.
 */
export const runs = (usual = 200): { numRuns: number; interruptAfterTimeLimit?: number } => {
  const asked = process.env.FUZZ_RUNS
  return asked === undefined ? { numRuns: usual, interruptAfterTimeLimit: 4000 } : { numRuns: Number(asked) }
}
