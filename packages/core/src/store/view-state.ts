import type { Gap } from '../events.js'
import type { Message } from '../message.js'

/** The state that a view passes to its successor. */
export interface ViewState {
  latest: Message | undefined
  data: unknown
  messages: readonly Message[]
  gap: Gap | undefined
  /** Messages that arrived while there was no listener. */
  readonly waiting: Message[]
}

export const none: readonly Message[] = []

/** The state of a view without a predecessor. */
export const newState = (latest: Message | undefined, data: unknown): ViewState => ({
  latest,
  data,
  messages: none,
  gap: undefined,
  waiting: [],
})

/** The part of a predecessor's state that belongs to the channels that stay. */
export function inherited(state: ViewState, concerns: (channel: string | undefined) => boolean): ViewState {
  const own = <T extends { channel: string }>(one: T | undefined) => (concerns(one?.channel) ? one : undefined)
  const kept = state.messages.filter(own)
  return {
    latest: own(state.latest) ?? kept.at(-1),
    data: state.data,
    messages: kept.length === state.messages.length ? state.messages : kept,
    gap: own(state.gap),
    waiting: state.waiting.filter(own),
  }
}
