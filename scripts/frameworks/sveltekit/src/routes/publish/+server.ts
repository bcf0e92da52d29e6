import { Publisher } from '@pushstream/publisher'

const publisher = new Publisher({ url: process.env.PUSH_URL ?? 'http://127.0.0.1' })

export async function POST({ request }) {
  await publisher.publish('news', await request.json())
  return new Response(null, { status: 204 })
}
