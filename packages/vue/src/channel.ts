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
  type TypeOn,
  type View,
  type ViewOptions,
} from '@pushstream/core/store'
import { computed, type MaybeRefOrGetter, type Ref, shallowRef, toValue, watch } from 'vue'
import { whenAlive } from './alive.js'
import { useStore } from './plugin.js'

/** What {@link usePushChannel} gives: the fields of {@link ChannelState}, each a ref of its own. */
export type ChannelRefs<T, D = unknown> = {
  readonly [K in keyof ChannelState<T, D>]: Readonly<Ref<ChannelState<T, D>[K]>>
}

/** Has a view of the channels, from when the component is mounted; another one whenever others are asked for. */
function useView(channel: MaybeRefOrGetter<ChannelName>, options: ViewOptions, changed: (view: View) => void): void {
  const store = useStore()
  whenAlive(() => {
    let view: View | undefined
    let leave: (() => void) | undefined
    const end = watch(
      () => keyOf(toValue(channel)),
      (key) => {
        const next = view === undefined ? createView(store, key, options) : view.next(store, key, options)
        const before = leave
        view = next
        leave = next.subscribe(() => changed(next))
        before?.()
        changed(next)
      },
      { immediate: true },
    )
    return () => {
      end()
      leave?.()
    }
  })
}

type Names = keyof Registered & string

/**
 * Subscribes to a channel, or several, for as long as the component or effect scope is there, and shows the latest
 * message's data. A component that `<KeepAlive>` has put aside goes on receiving.
 *
 * Components with the same channel share it. One that comes later begins with what the page has: with `backtrack` as many
 * messages, else the latest one as `data`. When a component goes, its channels stay for a second or two, so going and
 * coming back costs nothing. When the channels change, what concerns those that stay is kept.
 *
 * @param channel a name, several, or `null` for none at the moment; or a ref or getter of these. A name that the server
 * can't be asked for, and a channel it refuses, is told as `error`.
 * @param options `select` or `reduce` shape `data`; `onMessage` gets every message.
 */
export function usePushChannel<N extends Names, S>(
  channel: MaybeRefOrGetter<ChannelName<N>>,
  options: ReduceOptions<DataOf<Registered, N>, S>,
): ChannelRefs<S, DataOf<Registered, N>>
export function usePushChannel<N extends Names, R>(
  channel: MaybeRefOrGetter<ChannelName<N>>,
  options: SelectOptions<DataOf<Registered, N>, R>,
): ChannelRefs<R | undefined, DataOf<Registered, N>>
export function usePushChannel<N extends Names>(
  channel: MaybeRefOrGetter<ChannelName<N>>,
  options?: ChannelOptions<DataOf<Registered, N>>,
): ChannelRefs<DataOf<Registered, N> | undefined, DataOf<Registered, N>>
export function usePushChannel(channel: MaybeRefOrGetter<ChannelName>, options: object = {}): ChannelRefs<unknown> {
  const { select } = options as ViewOptions
  const seen = shallowRef<{ state: ChannelState<unknown>; view?: View }>({
    state: createView(useStore(), keyOf(null), options).idle(),
  })
  useView(channel, options, (view) => {
    seen.value = { state: view.reader()(), view }
  })
  const field = <K extends keyof ChannelState<unknown>>(name: K) => computed(() => seen.value.state[name])
  return {
    // Here, so that a ref which `select` reads is followed like any other.
    data: computed(() => {
      const { state, view } = seen.value
      return select && view ? view.reader(select)().data : state.data
    }),
    messages: field('messages'),
    status: field('status'),
    error: field('error'),
    gap: field('gap'),
  }
}

/**
 * Calls back for every message of a channel with a type (the body's `type`, else the `Event-Type`), once, in order, for
 * as long as the component or effect scope is there; the channel is subscribed as by {@link usePushChannel}.
 *
 * @param channel a name, `null` for none at the moment, or `'*'` for all that are subscribed anyway; or a ref or getter.
 * @param type `'*'` for any.
 * @param process if it throws, that is an `error` of the client.
 */
export function usePushProcessor<N extends Name<Registered>, T extends TypeOn<Registered, N>>(
  channel: MaybeRefOrGetter<N | null | undefined | false>,
  type: T,
  process: (data: Routed<Registered, N, T>, message: Message<Routed<Registered, N, T>>) => void,
): void {
  useView(channel, { onMessage: ofType(type, process) } as ViewOptions, () => {})
}
