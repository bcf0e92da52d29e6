import type { Locks } from '../platform.js'
import type { Environment } from '../types.js'

/** How long a leader may be silent before it is asked, and how long it has to answer then, in ms. */
const silence = 1000
/** A timer that is late by so many ms shows that this page was busy, or asleep. */
const late = 300

/** How a tab comes to lead others. */
export interface Leadership {
  begin(): void
  end(): void
  /** The leader gave a sign of life. */
  heard(): void
}

/**
 * One tab of a group leads: the one that holds a lock. The browser hands the lock on when a tab closes or crashes. A tab that
 * hangs keeps it, so the others ask for signs of life, and take the lock from a leader that gives none.
 *
 * @param changed whether the tab leads now.
 * @param ask asks the leader for a sign of life.
 */
export function createLeadership(
  locks: Locks,
  name: string,
  { now, random, clearTimeout, setTimeout }: Environment,
  changed: (leads: boolean) => void,
  ask: () => void,
): Leadership {
  let leads = false
  let end = () => {}
  let timer: unknown

  function request(steal?: true): void {
    end()
    const abort = new AbortController()
    const { signal } = abort
    let release = () => {}
    end = () => {
      leads = false
      abort.abort()
      release()
    }
    const hold = () =>
      new Promise<void>((resolve) => {
        release = resolve
        if (signal.aborted) return resolve()
        leads = true
        changed(true)
      })
    locks.request(name, steal ? { steal } : { signal }, hold).catch(() => {
      // Another tab took it, as this one gave no sign of life. Without leave to use locks, there is nothing to lose.
      if (!leads || signal.aborted) return
      begin()
      changed(false)
    })
  }

  function begin(): void {
    request()
    watch()
  }

  function watch(asked = false): void {
    clearTimeout(timer)
    // At random, so that one asks for all.
    const wait = asked ? silence : silence * (1 + random() / 4)
    const due = now() + wait
    timer = setTimeout(() => {
      if (leads) return
      // A page that was busy has not read yet what came meanwhile.
      const dead = asked && now() - due < late
      if (dead) request(true)
      else ask()
      watch(!dead)
    }, wait)
  }

  return {
    begin,
    end() {
      clearTimeout(timer)
      end()
    },
    heard: watch,
  }
}
