export type { BatchMessage, BatchOptions, Failed } from './batch.js'
export {
  type Beginning,
  ChannelManager,
  type ChannelManagerOptions,
  type ChannelStore,
  memoryStore,
} from './channel-manager.js'
export { type Outcome, PublisherError, type PublisherErrorCode, type PublisherErrorDetails } from './errors.js'
export type { PublisherOptions } from './options.js'
export { Publisher } from './publisher.js'
export type { RetryOptions } from './sender.js'
export { type NchanServerSettings, nchanServer, type RelayServerSettings, relayServer } from './servers/nchan.js'
export { type PushStreamServerSettings, pushStreamServer } from './servers/push-stream.js'
export type { ChannelStats, MessageOptions, Server, ServerRequest, ServerStats } from './servers/server.js'
export type { TemplateText } from './text.js'
export type {
  CallOptions,
  ChannelFilter,
  DataOfEach,
  PublishOptions,
  TypeOf,
  WatchOptions,
} from './types.js'
