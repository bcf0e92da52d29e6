import type { DataOf, Registered } from '@pushstream/core'
import {
  type ChannelName,
  type ChannelState,
  createView,
  type DerivedOptions,
  keyOf,
  ofType,
  type Processor,
  storeOf,
  type View,
  type ViewOptions,
} from '@pushstream/core/store'
import { useEffect, useInsertionEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { usePushStream } from './context.js'

/** The view of this component, for the channels of this render. */
function useView(channel: ChannelName, options: ViewOptions): View {
  const store = storeOf(usePushStream())
  const key = keyOf(channel)
  const [view, setView] = useState(() => createView(store, key, options))
  let current = view
  if (view.key !== key || view.store !== store) {
    current = view.next(store, key, options)
    setView(current)
  }
  // Set on commit, because a render may be discarded, and before effects, which subscribe.
  useInsertionEffect(() => {
    current.options = options
  })
  return current
}

/**
 * Subscribes to one or several channels for as long as the component is mounted, and returns the latest message's data.
 *
 * Components with the same channel share a subscription. A later one starts with the messages that the page has kept:
 * up to `backtrack` of them, or else the latest one as `data`. When a component is unmounted, its channels stay
 * subscribed for one or two seconds, so coming back costs nothing. When the channels change, the state of those that
 * stay is kept.
 *
 * @param channel a name, several, or `null` for none. An invalid name and a refused channel are reported as `error`.
 * @param options `select` or `reduce` derive `data`; `onMessage` gets every message. All may change with every render.
 *
 * @example
 * ```tsx
 * import { usePushChannel } from '@pushstream/react'
 *
 * export function Answer() {
 *   const { data, status } = usePushChannel('user-42', { backtrack: 1 })
 *   const { data: unread } = usePushChannel('news', { initial: 0, reduce: (count) => count + 1 })
 *   return <p aria-busy={status !== 'open'}>{data?.value} ({unread} unread)</p>
 * }
 * ```
 */
export function usePushChannel<N extends keyof Registered & string, R = DataOf<Registered, N>, S = R | undefined>(
  channel: ChannelName<N>,
  options: DerivedOptions<DataOf<Registered, N>, R, S> = {},
): ChannelState<S, DataOf<Registered, N>> {
  const view = useView(channel, options as ViewOptions)
  const { select } = options as ViewOptions
  const read = useMemo(() => view.reader(select), [view, select])
  return useSyncExternalStore(view.subscribe, read, view.idle) as ChannelState<S, DataOf<Registered, N>>
}

/**
 * Calls back once for every message of a type (the body's `type`, or else the `Event-Type`) on a channel, in order, for
 * as long as the component is mounted. It subscribes to the channel like {@link usePushChannel}.
 *
 * @param channel a name, `null` for none, or `'*'` for every channel that is subscribed elsewhere.
 * @param type a type, or `'*'` for any.
 * @param process may be another function with every render. If it throws, the client reports an `error`.
 *
 * @example
 * ```tsx
 * import { usePushProcessor } from '@pushstream/react'
 *
 * export function Toasts() {
 *   usePushProcessor('user-42', 'answer', ({ value }) => alert(value))
 *   return null
 * }
 * ```
 */
export function usePushProcessor<
  N extends (keyof Registered & string) | '*',
  T extends (N extends keyof Registered ? keyof Registered[N] & string : string) | '*',
>(channel: N | null | undefined | false, type: T, process: Processor<Registered, N, T>): void {
  const view = useView(channel, { onMessage: ofType(type, process) } as ViewOptions)
  useEffect(() => view.subscribe(() => {}), [view])
}
