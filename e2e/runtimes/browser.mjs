// The suite in a window and in the workers that it starts. The same script is all of them.
import { PushStream } from '@pushstream/core'
import { suite } from './suite.mjs'

const script = 'runtimes.js'

/** Runs the suite for whoever asks by a message with an origin. */
const answer = (port) => async (event) => {
  const done = suite(PushStream, event.data)
  // A service worker may be ended as soon as it has nothing to do.
  event.waitUntil?.(done)
  const reply = event.ports?.[0] ?? port
  reply.postMessage(await done)
}

const asked = (port, ...transfer) =>
  new Promise((resolve, reject) => {
    port.onmessage = ({ data }) => resolve(data)
    port.onerror = ({ message }) => reject(new Error(`the worker: ${message}`))
    port.postMessage(location.origin, transfer)
  })

const places = {
  window: () => suite(PushStream, location.origin),
  worker: () => asked(new Worker(script)),
  'shared worker': () => asked(new SharedWorker(script).port),
  async 'service worker'() {
    await navigator.serviceWorker.register(script)
    const { active } = await navigator.serviceWorker.ready
    const { port1, port2 } = new MessageChannel()
    const done = new Promise((resolve) => {
      port1.onmessage = ({ data }) => resolve(data)
    })
    active.postMessage(location.origin, [port2])
    return done
  },
}

if (globalThis.window) window.runIn = (place) => places[place]()
else if (globalThis.SharedWorkerGlobalScope) {
  addEventListener('connect', ({ ports: [port] }) => {
    port.onmessage = answer(port)
  })
} else addEventListener('message', answer(globalThis))
