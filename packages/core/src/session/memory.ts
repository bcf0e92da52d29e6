import type { Environment, ModeName } from '../types.js'

/** How long a mode that worked is tried first, in ms. */
const keep = 10 * 60_000

/** Remembers for an origin which mode worked where a better one did not, also across page loads. */
export function createMemory({ memory, now }: Environment, origin: string) {
  const key = `pushstream:mode:${origin}`
  let own: { mode: ModeName; until: number } | undefined
  try {
    const [mode, until] = (memory?.getItem(key) ?? '').split(' ')
    if (until !== undefined) own = { mode: mode as ModeName, until: Number(until) }
  } catch {
    // Storage may be forbidden: then every page load finds out for itself.
  }

  return {
    /** The modes in the order to try now. */
    order(modes: readonly ModeName[]): readonly ModeName[] {
      if (own === undefined || own.until < now() || !modes.includes(own.mode)) return modes
      return [...new Set([own.mode, ...modes])]
    },
    /** This mode works; `undefined`: the most wanted one does. */
    remember(mode: ModeName | undefined): void {
      if (mode === undefined && own === undefined) return
      own = mode && { mode, until: now() + keep }
      try {
        memory?.setItem(key, own === undefined ? '' : `${mode} ${own.until}`)
      } catch {
        // As above.
      }
    },
  }
}
