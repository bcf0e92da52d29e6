import { type Options, PushStream, PushStreamError, type Registered, type Status } from '@pushstream/core'
import { storeOf } from '@pushstream/core/store'
import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from 'react'

type Client = PushStream<Registered>

const Context = createContext<Client | undefined>(undefined)

/** What {@link PushStreamProvider} takes: options, or a client. */
export interface PushStreamProviderProps {
  /** Makes a client of its own with these options. They are read once: give the provider another `key` to begin anew. */
  options?: Options
  /** A client of the application's. It is connected, but left to you to disconnect and close. */
  client?: Client
  children?: ReactNode
}

/**
 * Gives a client to the components below, and connects it. A client of its own is disconnected a moment after the
 * provider has gone. On a server nothing is connected. Throws a `bad-option` error for bad options.
 */
export function PushStreamProvider({ options, client, children }: PushStreamProviderProps): ReactNode {
  const [first] = useState(() => client ?? new PushStream<Registered>(options))
  const used = client ?? first
  useEffect(() => storeOf(used).connect(client === undefined), [used, client])
  return createElement(Context.Provider, { value: used }, children)
}

/** The client of the nearest {@link PushStreamProvider}. Throws a `bad-option` error where there is none. */
export function usePushStream(): Client {
  const client = useContext(Context)
  if (client === undefined) {
    throw new PushStreamError('bad-option', 'There is no <PushStreamProvider> above this component: add one.')
  }
  return client
}

/** How the client is, as it changes: {@link Status}. On a server, and until the page is alive, it is closed. */
export function usePushStatus(): Status {
  const { client, watch, idle } = storeOf(usePushStream())
  return useSyncExternalStore(
    watch,
    () => client.status,
    () => idle,
  )
}
