import type { Duplex } from 'node:stream'

/**
 * Makes a socket a dead end, for good: what is written to it vanishes, what comes in is not seen, and endings are not
 * sent. Only when the other side leaves is it let go, so that nothing is left behind.
 */
export function swallow(socket: Duplex): void {
  const emit = socket.emit
  const vanish = (...values: unknown[]) => {
    const done = values.findLast((value) => typeof value === 'function')
    if (typeof done === 'function') process.nextTick(done as () => void)
  }
  Object.assign(socket, {
    write: (...values: unknown[]) => {
      vanish(...values)
      return true
    },
    end: (...values: unknown[]) => {
      vanish(...values)
      return socket
    },
    destroySoon: () => {},
    emit: (event: string, ...values: unknown[]) => (event === 'data' ? true : emit.call(socket, event, ...values)),
  })
  socket.once('end', () => socket.destroy())
}
