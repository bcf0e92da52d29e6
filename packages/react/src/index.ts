'use client'

export { usePushChannel, usePushProcessor } from './channel.js'
export { PushStreamProvider, type PushStreamProviderProps, usePushStatus, usePushStream } from './context.js'
