import type { Environment } from '../types.js'

/** Deadlines by name. Setting one replaces it, `undefined` cancels it, and none is left behind. */
export function createTimers({ now, setTimeout, clearTimeout }: Environment) {
  const running = new Map<unknown, { when: number; timer: unknown }>()
  const at = (name: unknown, when: number | undefined, callback?: () => void) => {
    const old = running.get(name)
    if (old?.when === when) return
    clearTimeout(old?.timer)
    running.delete(name)
    if (when === undefined) return
    const timer = setTimeout(() => {
      running.delete(name)
      callback?.()
    }, when - now())
    running.set(name, { when, timer })
  }
  return {
    /** Calls back at a time in ms since 1970, once however often it is set. */
    at,
    /** Calls back after so many ms. */
    in: (name: unknown, ms: number, callback: () => void) => {
      at(name, undefined)
      at(name, now() + ms, callback)
    },
    cancel: (name: unknown) => at(name, undefined),
    /** When it is due, in ms since 1970. */
    when: (name: unknown) => running.get(name)?.when,
    clear() {
      for (const name of [...running.keys()]) at(name, undefined)
    },
  }
}

export type Timers = ReturnType<typeof createTimers>
