// What a user of the package writes, compiled against the packed package by scripts/check-packages.mjs.

import {
  type Gap,
  type Message,
  messages,
  messageTemplate,
  type Options,
  PushStream,
  PushStreamError,
  registerWithSchema,
  sendMessage,
} from '@pushstream/core'
import { PushStream as Classic, type ClassicSettings } from '@pushstream/core/classic'

type News = { 'user-42': { answer: { type: 'answer'; value: number } } }

const options: Options = { url: 'https://push.example.org', urlPrefixWebsocket: '/events/ws', modes: ['websocket'] }
const stream = new PushStream<News>(options)
stream.addChannel('user-42', { backtrack: 5 })
export const stop: () => void = stream.registerProcessor('user-42', 'answer', (data) => {
  const value: number = data.value
  return value
})
stream.on('gap', ({ channel, first, last }: Gap) => console.log(channel, first, last))
stream.on('error', (error) => console.log(error instanceof PushStreamError, error.code))
stream.on('message', (message: Message<{ value: number }>) => console.log(message.data.value))
// @ts-expect-error no such channel
stream.addChannel('user-43')
// @ts-expect-error no such option
new PushStream({ hots: 'www.example.org' })
// @ts-expect-error only the classic client has it
new PushStream({ host: 'www.example.org' })
export const sent: Promise<void> = sendMessage(stream, 'hello')
export const read = async () => {
  for await (const { data } of messages(stream, 'user-42')) console.log(data.value)
}
new PushStream({ messageTemplate: messageTemplate('<~text~>') }).close()
// @ts-expect-error not a schema
registerWithSchema(stream, 'user-42', 'answer', {}, () => {})
stream.close()

const settings: ClassicSettings = { host: 'push.example.org', port: 443, useSSL: true, modes: 'websocket|longpolling' }
const pushstream = new Classic(settings)
pushstream.onmessage = (text, id, channel) => console.log(text, id, channel)
pushstream.onerror = ({ type, code }) => console.log(type, code)
pushstream.addChannel('news')
export const state: number = pushstream.readyState === Classic.OPEN ? pushstream.id : Classic.CLOSED
