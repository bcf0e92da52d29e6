import type { DataOf, Message, Registered } from '@pushstream/core'
import {
  type ChannelName,
  type ChannelOptions,
  type ChannelState,
  createView,
  keyOf,
  type Name,
  ofType,
  type ReduceOptions,
  type Routed,
  type SelectOptions,
  storeOf,
  type TypeOn,
  type View,
  type ViewOptions,
} from '@pushstream/core/store'
import { useEffect, useInsertionEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { usePushStream } from './context.js'

/** The view of this component, for what it asks for in this render. */
function useView(channel: ChannelName, options: ViewOptions): View {
  const store = storeOf(usePushStream())
  const key = keyOf(channel)
  const [view, setView] = useState(() => createView(store, key, options))
  let current = view
  if (view.key !== key || view.store !== store) {
    current = view.next(store, key, options)
    setView(current)
  }
  // Only what is on the screen may decide what a message does; and before it is subscribed.
  useInsertionEffect(() => {
    current.options = options
  })
  return current
}

type Names = keyof Registered & string

/**
 * Subscribes to a channel, or several, for as long as the component is there, and shows the latest message's data.
 *
 * Components with the same channel share it. One that comes later begins with what the page has: with `backtrack` as many
 * messages, else the latest one as `data`. When a component goes, its channels stay for a second or two, so going and
 * coming back costs nothing. When the channels change, what concerns those that stay is kept.
 *
 * @param channel a name, several, or `null` for none at the moment. A name that the server can't be asked for, and a
 * channel it refuses, is told as `error`.
 * @param options `select` or `reduce` shape `data`; `onMessage` gets every message. All may change with every render.
 */
export function usePushChannel<N extends Names, S>(
  channel: ChannelName<N>,
  options: ReduceOptions<DataOf<Registered, N>, S>,
): ChannelState<S, DataOf<Registered, N>>
export function usePushChannel<N extends Names, R>(
  channel: ChannelName<N>,
  options: SelectOptions<DataOf<Registered, N>, R>,
): ChannelState<R | undefined, DataOf<Registered, N>>
export function usePushChannel<N extends Names>(
  channel: ChannelName<N>,
  options?: ChannelOptions<DataOf<Registered, N>>,
): ChannelState<DataOf<Registered, N> | undefined, DataOf<Registered, N>>
export function usePushChannel(channel: ChannelName, options: object = {}): ChannelState<unknown> {
  const view = useView(channel, options)
  const { select } = options as ViewOptions
  const read = useMemo(() => view.reader(select), [view, select])
  return useSyncExternalStore(view.subscribe, read, view.idle)
}

/**
 * Calls back for every message of a channel with a type (the body's `type`, else the `Event-Type`), once, in order, for
 * as long as the component is there; the channel is subscribed as by {@link usePushChannel}.
 *
 * @param channel a name, `null` for none at the moment, or `'*'` for all that are subscribed anyway.
 * @param type `'*'` for any.
 * @param process may be another function with every render. If it throws, that is an `error` of the client.
 */
export function usePushProcessor<N extends Name<Registered>, T extends TypeOn<Registered, N>>(
  channel: N | null | undefined | false,
  type: T,
  process: (data: Routed<Registered, N, T>, message: Message<Routed<Registered, N, T>>) => void,
): void {
  const view = useView(channel, { onMessage: ofType(type, process) } as ViewOptions)
  useEffect(() => view.subscribe(() => {}), [view])
}
