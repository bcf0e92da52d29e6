export { Client } from './client.js'
export { type ErrorCode, type ErrorDetails, PushStreamError } from './errors.js'
export type {
  ChannelDeleted,
  Channels,
  ClientEvents,
  DataOf,
  DeadLetter,
  Gap,
  Processor,
  Stats,
  Status,
} from './events.js'
export type { PushErrorEvent, PushEventSourceEventMap } from './eventsource/events.js'
export type { PushEventSourceInit } from './eventsource/init.js'
export { PushEventSource } from './eventsource/push-event-source.js'
export type { Message } from './message.js'
export { messages } from './messages.js'
export { longpolling, stream } from './modes.js'
export type { ClientOptions, Options } from './options.js'
export type { Locks, Memory, PushMessageEvent, WebSocketClass } from './platform.js'
export { type DjangoEventStreamSettings, djangoEventStream } from './protocols/django-eventstream.js'
export { type NchanSettings, nchan } from './protocols/nchan.js'
export type { Endpoint, Protocol, ProtocolFactory } from './protocols/protocol.js'
export type { PushStreamSettings } from './protocols/push-stream.js'
export { type MessageTemplate, messageTemplate } from './protocols/template.js'
export type { TextEncoding } from './protocols/text.js'
export { PushStream } from './push-stream.js'
export type { Register, Registered } from './register.js'
export { registerWithSchema } from './schema.js'
export { sendMessage } from './send-message.js'
export { eventsource } from './transports/http.js'
export { nativeEventSource } from './transports/native-event-source.js'
export { nativeWebSocket } from './transports/native-websocket.js'
export { websocket } from './transports/websocket.js'
export type {
  Environment,
  GapReason,
  Guarantees,
  Logger,
  ModeName,
  Page,
  Params,
  Provider,
  Transport,
} from './types.js'
export type { Updates, UpdatesEvents, UpdatesOptions } from './updates/types.js'
export { createUpdates } from './updates/updates.js'
