import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A client socket that keeps what it gets. */
export class RawSocket {
  received: Buffer = Buffer.alloc(0)
  ended = false
  readonly #socket: Socket
  #changed: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes])
      this.#changed()
    })
    socket.on('end', () => this.#end())
    socket.on('close', () => this.#end())
    socket.on('error', () => this.#end())
  }

  static async open(port: number): Promise<RawSocket> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.setNoDelay(true)
    await once(socket, 'connect')
    return new RawSocket(socket)
  }

  async write(bytes: Buffer | string): Promise<void> {
    await new Promise<void>((resolve, reject) =>
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve())),
    )
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Resolves when `condition` holds; rejects after `patience` real milliseconds. */
  async until(condition: () => boolean, patience = 10_000): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`still waiting, with ${this.#describe()}`)), patience)
      this.#changed = () => {
        if (!condition()) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#changed = () => {}
  }

  #describe(): string {
    return `${this.ended ? 'the connection ended and ' : ''}${JSON.stringify(this.received.toString('latin1'))} received`
  }

  #end(): void {
    this.ended = true
    this.#changed()
  }
}

/**
 * A round trip through this process's event loop. What was written to any loopback socket before it has been read and
 * acted upon after it; so "nothing more came" can be said without sleeping.
 */
export class Fence {
  readonly #server: Server
  readonly #socket: RawSocket
  #trips = 0

  private constructor(server: Server, socket: RawSocket) {
    this.#server = server
    this.#socket = socket
  }

  static async open(): Promise<Fence> {
    const server = createServer((socket) => socket.pipe(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Fence(server, await RawSocket.open((server.address() as AddressInfo).port))
  }

  async pass(trips = 3): Promise<void> {
    for (let i = 0; i < trips; i++) {
      this.#trips++
      await this.#socket.write('.')
      await this.#socket.until(() => this.#socket.received.length >= this.#trips)
    }
  }

  close(): void {
    this.#socket.close()
    this.#server.close()
  }
}
