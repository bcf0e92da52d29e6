import { PushStream } from '@pushstream/core'
import {
  type ChannelOptions,
  type ChannelState,
  createView,
  keyOf,
  storeOf,
  type ViewOptions,
} from '@pushstream/core/store'
import { createSubscriber } from 'svelte/reactivity'

const store = storeOf(new PushStream())

/** Subscribes to a channel while a component shows `current`. On a server, nothing is connected. */
export function pushChannel<D>(channel: string, options: ChannelOptions<D> = {}) {
  const view = createView(store, keyOf(channel), options as ViewOptions)
  const read = view.reader()
  const track = createSubscriber((update) => {
    const ends = [view.subscribe(update), store.connect(true)]
    return () => ends.forEach((end) => void end())
  })
  return {
    get current() {
      track()
      return read() as ChannelState<D | undefined, D>
    },
  }
}
