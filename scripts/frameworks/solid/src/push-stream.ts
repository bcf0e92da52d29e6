import { PushStream } from '@pushstream/core'
import {
  type ChannelOptions,
  type ChannelState,
  createView,
  keyOf,
  storeOf,
  type ViewOptions,
} from '@pushstream/core/store'
import { type Accessor, createSignal, onCleanup, onMount } from 'solid-js'

const store = storeOf(new PushStream())

/** Subscribes to a channel while the component is there. On a server, nothing is connected. */
export function pushChannel<D>(
  channel: string,
  options: ChannelOptions<D> = {},
): Accessor<ChannelState<D | undefined, D>> {
  const view = createView(store, keyOf(channel), options as ViewOptions)
  const read = view.reader() as Accessor<ChannelState<D | undefined, D>>
  const [state, setState] = createSignal(view.idle() as ChannelState<D | undefined, D>)
  onMount(() => {
    const ends = [view.subscribe(() => setState(read)), store.connect(true)]
    onCleanup(() => ends.forEach((end) => void end()))
  })
  return state
}
