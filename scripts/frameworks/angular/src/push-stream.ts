import { afterNextRender, DestroyRef, InjectionToken, inject, type Signal, signal } from '@angular/core'
import { PushStream } from '@pushstream/core'
import {
  type ChannelOptions,
  type ChannelState,
  createView,
  keyOf,
  storeOf,
  type ViewOptions,
} from '@pushstream/core/store'

const STORE = new InjectionToken('PushStream', { factory: () => storeOf(new PushStream()) })

/** Subscribes to a channel while the component is there. On a server, nothing is connected. */
export function pushChannel<D>(
  channel: string,
  options: ChannelOptions<D> = {},
): Signal<ChannelState<D | undefined, D>> {
  const store = inject(STORE)
  const view = createView(store, keyOf(channel), options as ViewOptions)
  const read = view.reader() as () => ChannelState<D | undefined, D>
  const state = signal(view.idle() as ChannelState<D | undefined, D>)
  const ends: (() => void)[] = []
  afterNextRender(() => {
    ends.push(
      view.subscribe(() => state.set(read())),
      store.connect(true),
    )
  })
  inject(DestroyRef).onDestroy(() => {
    for (const end of ends) end()
  })
  return state.asReadonly()
}
