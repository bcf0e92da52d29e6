// What a user of the package writes, compiled against the packed package by scripts/check-packages.mjs.
import { createFaultProxy, createGate, createManualClock, createScriptedServer } from '@pushstream/testkit'

const server = createScriptedServer()
const { url } = await server.listen()
const gate = createGate()
server.on('GET /ev/*', async (exchange) => {
  exchange.respond(200, { 'content-type': 'text/event-stream' })
  await gate.opened
  exchange.end()
})
server.onUpgrade('/ws/*', async (socket) => {
  await socket.send('{"id":1}')
  const { code } = await socket.closed
  console.log(code)
})

const proxy = createFaultProxy({ target: url })
await proxy.listen()
const cut: number = proxy.cut()
const clock = createManualClock()
await clock.advance(1000)
console.log(cut, clock.pending)
await proxy.close()
await server.close()
