import { createServer, type Server } from 'node:http'
import type { EventStream } from '@fanoutio/eventstream'
import { freePort } from '@pushstream/testkit'
import express from 'express'

/** An Express application with events for pages of another origin, at /events/. */
export interface Application {
  readonly server: Server
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

/** `port`: default a free one, on which it can be restarted. */
export async function startApplication(events: EventStream, port?: number): Promise<Application> {
  const own = port ?? (await freePort())
  const app = express()
  app.use((_, response, next) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    next()
  })
  app.get(
    '/events/',
    events.route((request) => new URL(request.url ?? '', 'http://h').searchParams.getAll('channel')),
  )
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(own, '127.0.0.1', resolve))
  return {
    server,
    port: own,
    url: `http://127.0.0.1:${own}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
