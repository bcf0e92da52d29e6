import type { DataOf, Registered } from '@pushstream/core'
import {
  type ChannelName,
  type ChannelState,
  createView,
  type DerivedOptions,
  keyOf,
  ofType,
  type Processor,
  type View,
  type ViewOptions,
} from '@pushstream/core/store'
import { computed, type MaybeRefOrGetter, type Ref, shallowRef, toValue, watch } from 'vue'
import { whenAlive } from './alive.js'
import { useStore } from './plugin.js'

/** The result of {@link usePushChannel}: the fields of {@link ChannelState}, each as a ref. */
export type ChannelRefs<T, D = unknown> = {
  readonly [K in keyof ChannelState<T, D>]: Readonly<Ref<ChannelState<T, D>[K]>>
}

/** Uses a view of the channels from the component's mount on. Other channels replace it with another view. */
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

/**
 * Subscribes to one or several channels for as long as the component or effect scope is active, and returns the
 * latest message's data. An inactive component in `<KeepAlive>` keeps receiving.
 *
 * Components with the same channel share a subscription. A later one starts with the messages that the page has kept:
 * up to `backtrack` of them, or else the latest one as `data`. When a component is unmounted, its channels stay
 * subscribed for one or two seconds, so coming back costs nothing. When the channels change, the state of those that
 * stay is kept.
 *
 * @param channel a name, several, or `null` for none; or a ref or getter of these. An invalid name and a refused
 * channel are reported as `error`.
 * @param options `select` or `reduce` derive `data`; `onMessage` gets every message.
 *
 * @example
 * ```ts
 * import { usePushChannel } from '@pushstream/vue'
 * import { ref } from 'vue'
 *
 * const id = ref(42)
 * const { data, status } = usePushChannel(() => `user-${id.value}`, { backtrack: 1 })
 * const { data: unread } = usePushChannel('news', { initial: 0, reduce: (count) => count + 1 })
 * ```
 */
export function usePushChannel<N extends keyof Registered & string, R = DataOf<Registered, N>, S = R | undefined>(
  channel: MaybeRefOrGetter<ChannelName<N>>,
  options: DerivedOptions<DataOf<Registered, N>, R, S> = {},
): ChannelRefs<S, DataOf<Registered, N>> {
  const { select } = options as ViewOptions
  const seen = shallowRef<{ state: ChannelState<unknown>; view?: View }>({
    state: createView(useStore(), keyOf(null), options as ViewOptions).idle(),
  })
  useView(channel, options as ViewOptions, (view) => {
    seen.value = { state: view.reader()(), view }
  })
  const field = <K extends keyof ChannelState<unknown>>(name: K) => computed(() => seen.value.state[name])
  return {
    // Computed here, so that the refs which `select` reads are tracked.
    data: computed(() => {
      const { state, view } = seen.value
      return select && view ? view.reader(select)().data : state.data
    }),
    messages: field('messages'),
    status: field('status'),
    error: field('error'),
    gap: field('gap'),
  } as ChannelRefs<S, DataOf<Registered, N>>
}

/**
 * Calls back once for every message of a type (the body's `type`, or else the `Event-Type`) on a channel, in order, for
 * as long as the component or effect scope is active. It subscribes to the channel like {@link usePushChannel}.
 *
 * @param channel a name, `null` for none, or `'*'` for every channel that is subscribed elsewhere; or a ref or getter.
 * @param type a type, or `'*'` for any.
 * @param process if it throws, the client reports an `error`.
 *
 * @example
 * ```ts
 * import { usePushProcessor } from '@pushstream/vue'
 *
 * usePushProcessor('user-42', 'answer', ({ value }) => alert(value))
 * ```
 */
export function usePushProcessor<
  N extends (keyof Registered & string) | '*',
  T extends (N extends keyof Registered ? keyof Registered[N] & string : string) | '*',
>(channel: MaybeRefOrGetter<N | null | undefined | false>, type: T, process: Processor<Registered, N, T>): void {
  useView(channel, { onMessage: ofType(type, process) } as ViewOptions, () => {})
}
