import { getCurrentInstance, onMounted, onScopeDispose } from 'vue'

/** Whether this runs in a page. On a server, nothing is connected. */
export const inPage = () => typeof document !== 'undefined'

/**
 * Starts something when the component is mounted, and ends it with its scope. Outside of a component, it starts at
 * once, in a page.
 */
export function whenAlive(start: () => () => void): void {
  let stop: (() => void) | undefined
  const begin = () => {
    stop = start()
  }
  if (getCurrentInstance()) onMounted(begin)
  else if (inPage()) begin()
  onScopeDispose(() => stop?.())
}
