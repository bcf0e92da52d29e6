import type { PushStream, Registered, Status } from '@pushstream/core'
import { type ShallowRef, shallowRef } from 'vue'
import { whenAlive } from './alive.js'
import { useStore } from './plugin.js'

/** The client of the application. Throws a `bad-option` error if there is none. */
export function usePushStream(): PushStream<Registered> {
  return useStore().client
}

/** The client's current {@link Status}. On a server, and until the component is mounted, it is closed. */
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
