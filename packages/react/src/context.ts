import { type Options, PushStream, PushStreamError, type Registered, type Status } from '@pushstream/core'
import { storeOf } from '@pushstream/core/store'
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from 'react'

type Client = PushStream<Registered>

const Context = createContext<Client | undefined>(undefined)

/**
 * The properties of {@link PushStreamProvider}: options or a client.
 *
 * @example
 * ```tsx
 * import { PushStream, type Registered } from '@pushstream/core'
 * import { PushStreamProvider } from '@pushstream/react'
 *
 * const stream = new PushStream<Registered>({ url: 'https://push.example.org' })
 * export const App = () => <PushStreamProvider client={stream}>…</PushStreamProvider>
 * ```
 */
export interface PushStreamProviderProps {
  /** The options of a new client. They are read once: to use others, change the provider's `key`. */
  options?: Options
  /** An existing client. The provider connects it; you disconnect and close it. */
  client?: Client
  children?: ReactNode
}

/**
 * Provides a client to its descendants, and connects it. The provider's own client is disconnected a moment after the
 * provider is unmounted. On a server, nothing is connected. Throws a `bad-option` error for invalid options.
 *
 * @example
 * ```tsx
 * import { PushStreamProvider } from '@pushstream/react'
 *
 * export const App = () => (
 *   <PushStreamProvider options={{ url: 'https://push.example.org' }}>…</PushStreamProvider>
 * )
 * ```
 */
export function PushStreamProvider({ options, client, children }: PushStreamProviderProps): ReactElement {
  const [first] = useState(() => client ?? new PushStream<Registered>(options))
  const used = client ?? first
  useEffect(() => storeOf(used).connect(client === undefined), [used, client])
  return createElement(Context.Provider, { value: used }, children)
}

/**
 * The client of the nearest {@link PushStreamProvider}. Throws a `bad-option` error if there is none.
 *
 * @example
 * ```tsx
 * import { usePushStream } from '@pushstream/react'
 *
 * export function Reconnect() {
 *   const stream = usePushStream()
 *   return <button type="button" onClick={() => stream.connect()}>Try now</button>
 * }
 * ```
 */
export function usePushStream(): Client {
  const client = useContext(Context)
  if (client === undefined) {
    throw new PushStreamError('bad-option', 'There is no <PushStreamProvider> above this component: add one.')
  }
  return client
}

/**
 * The client's current {@link Status}. On a server, and until the page is hydrated, it is closed.
 *
 * @example
 * ```tsx
 * import { usePushStatus } from '@pushstream/react'
 *
 * export function Offline() {
 *   const { state } = usePushStatus()
 *   return state === 'waiting' && <p role="alert">Offline: what you see may be old.</p>
 * }
 * ```
 */
export function usePushStatus(): Status {
  const { client, watch, idle } = storeOf(usePushStream())
  return useSyncExternalStore(
    watch,
    () => client.status,
    () => idle,
  )
}
