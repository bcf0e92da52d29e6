import { getCurrentInstance, onMounted, onScopeDispose } from 'vue'

/** Whether this runs in a page: a server that renders connects to nothing. */
export const inPage = () => typeof document !== 'undefined'

/** Starts something when the component is mounted (outside of one: now, in a page), and ends it with its scope. */
export function whenAlive(start: () => () => void): void {
  let stop: (() => void) | undefined
  const begin = () => {
    stop = start()
  }
  if (getCurrentInstance()) onMounted(begin)
  else if (inPage()) begin()
  onScopeDispose(() => stop?.())
}
