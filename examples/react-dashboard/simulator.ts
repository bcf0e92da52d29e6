import type { DevServer } from '@pushstream/devserver/vite'

/** Stands for your back end: publishes the load and the number of visitors each second. */
export function simulate(server: DevServer): void {
  let load = 0.4
  let visitors = 120
  setInterval(() => {
    load = Math.min(1, Math.max(0, load + (Math.random() - 0.5) / 5))
    visitors = Math.max(0, visitors + Math.round((Math.random() - 0.5) * 8))
    server.publish('load', JSON.stringify({ type: 'sample', value: load }))
    server.publish('visitors', JSON.stringify({ type: 'count', value: visitors }))
  }, 1000)
}
