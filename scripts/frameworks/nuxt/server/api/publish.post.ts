import { Publisher } from '@pushstream/publisher'

const publisher = new Publisher({ url: process.env.PUSH_URL ?? 'http://127.0.0.1' })

export default defineEventHandler(async (event) => {
  await publisher.publish('news', await readBody(event))
  return null
})
