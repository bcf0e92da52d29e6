// What of the matrix is wanted, as run.mjs hands it on.

export type Dimension = 'server' | 'mode' | 'fault' | 'browser'

export interface Selection {
  /** Whether everything is wanted. */
  readonly full: boolean
  /** Whether the report is to be written whatever is in it, or, of a part of the matrix, brought up to date with it. */
  readonly write: boolean
  readonly count: number
  readonly perSecond: number
  wants(dimension: Dimension, name: string): boolean
}

export function selection(): Selection {
  const given = JSON.parse(process.env.PUSHSTREAM_MATRIX ?? '{}') as Partial<Record<Dimension, string[]>> & {
    write?: boolean
    count?: number
  }
  const chosen = (dimension: Dimension) => given[dimension] ?? []
  const count = given.count ?? 2000
  return {
    full: count === 2000 && (['server', 'mode', 'fault', 'browser'] as const).every((one) => chosen(one).length === 0),
    write: given.write ?? false,
    count,
    perSecond: 200,
    // The beginning of a name is enough: `nchan-redis` is every server of that kind.
    wants: (dimension, name) =>
      chosen(dimension).length === 0 || chosen(dimension).some((one) => `${name}-`.startsWith(`${one}-`)),
  }
}
