import { createServer, type IncomingMessage } from 'node:http'
import {
  AngularNodeAppEngine,
  createNodeRequestHandler,
  isMainModule,
  writeResponseToNodeResponse,
} from '@angular/ssr/node'
import { Publisher } from '@pushstream/publisher'

const publisher = new Publisher({ url: process.env.PUSH_URL ?? 'http://127.0.0.1' })
const angular = new AngularNodeAppEngine()

export const reqHandler = createNodeRequestHandler(async (request, response, next) => {
  if (request.method === 'POST') {
    await publisher.publish('news', JSON.parse(await textOf(request)))
    response.writeHead(204).end()
    return
  }
  const answer = await angular.handle(request)
  if (answer === null) next()
  else await writeResponseToNodeResponse(answer, response)
})

async function textOf(request: IncomingMessage) {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += piece
  return text
}

if (isMainModule(import.meta.url)) {
  createServer((request, response) => {
    void reqHandler(request, response, () => response.writeHead(404).end())
  }).listen(Number(process.env.PORT), '127.0.0.1')
}
