import { join } from 'node:path'
import { root } from './workspace.mjs'

/**
 * Built in, from the TypeScript its package ships: its JavaScript is for browsers of 2015 and a third larger, and its
 * declarations don't resolve in Node.
 */
export const inlined = {
  'reconnecting-websocket': join(root, 'node_modules/reconnecting-websocket/reconnecting-websocket.ts'),
}

/** The Vite plugin that leaves out its debug output, which nothing turns on. */
export const quiet = {
  name: 'pushstream-quiet',
  enforce: 'pre',
  transform: (code, id) =>
    id === inlined['reconnecting-websocket']
      ? // No line moves, so the map of the lines stays right.
        { code: code.replace(/^[ \t]*this\._debug\(.*\);$/gm, ''), map: null }
      : undefined,
}
