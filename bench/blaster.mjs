// A server that sends prepared frames as fast as the client takes them, in every mode, to one run at a time.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { frame, numberAt, positionHeaders, variants, wrapped } from './frames.mjs'

const batch = 1000
/** nginx writes the events of a burst in pieces of about this size. */
const eventsPerWrite = 200

// Isolated, so that the page's clock is precise.
const isolated = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

export class Blaster {
  url = ''
  /** Scripts by path. */
  scripts = {}
  #http = createServer((request, response) => this.#answer(request, response))
  #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  #run = { variant: 'quoted', upTo: 0, readers: new Set() }

  async listen() {
    this.#http.on('upgrade', (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (peer) => this.#websocket(peer))
    })
    await new Promise((resolve) => this.#http.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${this.#http.address().port}`
  }

  close() {
    this.#http.close()
    this.#http.closeAllConnections()
    this.#sockets.close()
    for (const peer of this.#sockets.clients) peer.terminate()
  }

  /** Starts a run: from now on, connections get the messages up to `upTo`. */
  begin(variant, upTo) {
    this.#run = { variant, upTo, readers: new Set() }
  }

  /** Continues up to this message. */
  release(upTo) {
    this.#run.upTo = upTo
    for (const more of this.#run.readers) more()
  }

  /** Calls `send(frames, last)` for all frames from `from` on, now and later, `size` at a time. */
  #follow(from, size, send, once = false) {
    const run = this.#run
    let next = from
    const more = () => {
      while (next <= run.upTo) {
        const last = Math.min(run.upTo, next + size - 1)
        const frames = []
        for (let n = next; n <= last; n++) frames.push(frame(run.variant, n))
        next = last + 1
        if (once) run.readers.delete(more)
        send(frames, last)
        if (once) return
      }
    }
    run.readers.add(more)
    more()
    return () => run.readers.delete(more)
  }

  #websocket(peer) {
    const stop = this.#follow(1, batch, (frames) => {
      for (const text of frames) peer.send(text)
    })
    peer.on('close', stop)
  }

  #answer(request, response) {
    const { pathname, searchParams: query } = new URL(request.url, this.url)
    const [, kind] = pathname.split('/')
    if (kind === '') {
      response.writeHead(200, { 'Content-Type': 'text/html', ...isolated })
      response.end('<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>bench</title>')
    } else if (this.scripts[pathname] !== undefined) {
      response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(this.scripts[pathname])
    } else if (kind === 'frames') {
      const { contender, variant, ...numbers } = Object.fromEntries(query)
      const { from, to, channels = 1, types = 1 } = numbers
      const make = wrapped[contender] ?? ((_, n) => frame(variant, n, Number(channels), Number(types)))
      const all = []
      for (let n = Number(from); n <= Number(to); n++) all.push(make(variants[variant](n), n))
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(all))
    } else if (request.method !== 'GET') {
      response.writeHead(200).end()
    } else if (request.headers['x-nginx-pushstream-mode'] === 'polling') {
      response.writeHead(304).end()
    } else if (kind === 'ev') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
      response.write(': \n')
      const stop = this.#follow(1, eventsPerWrite, (frames) => {
        response.write(frames.map((text) => `data: ${text}\n\n`).join(''))
      })
      response.on('close', stop)
    } else if (kind === 'lp') {
      const { headers } = request
      const from = numberAt(
        query.get('time') ?? headers['if-modified-since'],
        query.get('tag') ?? headers['if-none-match'],
      )
      const send = (frames, last) => {
        response.writeHead(200, { 'Content-Type': 'text/plain', ...positionHeaders(last) }).end(frames.join(''))
      }
      const stop = this.#follow(from + 1, batch, send, true)
      response.on('close', stop)
    } else response.writeHead(404).end()
  }
}
