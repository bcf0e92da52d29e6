import type { PushStream, Registered, Status } from '@pushstream/core'
import { type ShallowRef, shallowRef } from 'vue'
import { whenAlive } from './alive.js'
import { useStore } from './plugin.js'

/**
 * The client of the application. Throws a `bad-option` error if there is none.
 *
 * @example
 * ```ts
 * import { usePushStream } from '@pushstream/vue'
 *
 * const stream = usePushStream()
 * const tryNow = () => stream.connect()
 * ```
 */
export function usePushStream(): PushStream<Registered> {
  return useStore().client
}

/**
 * The client's current {@link Status}. On a server, and until the component is mounted, it is closed.
 *
 * @example
 * ```ts
 * import { usePushStatus } from '@pushstream/vue'
 * import { computed } from 'vue'
 *
 * const status = usePushStatus()
 * const offline = computed(() => status.value.state === 'waiting')
 * ```
 */
export function usePushStatus(): Readonly<ShallowRef<Status>> {
  const { client, idle, watch } = useStore()
  const status = shallowRef(idle)
  const read = () => {
    status.value = client.status
  }
  whenAlive(() => {
    read()
    return watch(read)
  })
  return status
}
