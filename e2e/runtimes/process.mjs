// The suite in Node, Deno and Bun, on the built client: prints its results as JSON.
//
//   node process.mjs <origin of a place>
import { PushStream } from '@pushstream/core'
import { suite } from './suite.mjs'

// Node 20 has none.
const WebSocket = globalThis.WebSocket ?? (await import('ws')).WebSocket
console.log(JSON.stringify(await suite(PushStream, process.argv[2], { WebSocket })))
