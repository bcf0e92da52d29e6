// What browsers have, for declarations: of a project without the DOM library, they must not need a name that only that has.

/** `RequestCredentials`, also without the DOM library. */
export type SentCredentials = 'include' | 'omit' | 'same-origin'

/** The part of `Storage` that remembers which mode worked, and where `persist()` keeps positions. */
export interface Memory {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

/** The part of `navigator.locks` that `share()` needs to choose the tab that leads. */
export interface Locks {
  request(
    name: string,
    options: { steal?: boolean; signal?: AbortSignal },
    callback: () => Promise<void>,
  ): Promise<unknown>
}

/** The class of a runtime's websockets, or that of the package ws: what their declarations say differs. */
export type WebSocketClass = new (url: string, protocols?: string[]) => object

/** `MessageEvent<string>`, which takes no type where the DOM library is missing. */
export interface PushMessageEvent extends Omit<MessageEvent, 'data'> {
  readonly data: string
}

// What the platform's own listeners are added by: the names of these types differ between runtimes.
export type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]
export type RemovalOptions = Parameters<EventTarget['removeEventListener']>[2]
export type ListenerObject = { handleEvent(event: Event): void }
