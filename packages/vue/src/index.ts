export { type ChannelRefs, usePushChannel, usePushProcessor } from './channel.js'
export { createPushStream, type PushStreamPlugin } from './plugin.js'
export { usePushStatus, usePushStream } from './status.js'
