/** How long a property is tried: few times by default, so that the tests stay quick; `FUZZ_RUNS` says otherwise. */
export const runs = (usual = 500): { numRuns: number } => ({ numRuns: Number(process.env.FUZZ_RUNS ?? usual) })
