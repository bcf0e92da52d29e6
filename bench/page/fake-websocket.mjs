/** A websocket without a network. The bench feeds it. */
export class FakeWebSocket {
  /** The latest instance. */
  static last
  /** All instances that are not closed. A client makes several where one address has no room for all channels. */
  static all = new Set()
  /** The server's part: its answers to the opening and to a text. */
  static server = {}
  readyState = 0
  binaryType = 'blob'
  onopen = null
  onmessage = null
  onclose = null
  onerror = null
  #listeners = { open: [], message: [], close: [], error: [] }

  constructor(url) {
    this.url = url
    FakeWebSocket.last = this
    FakeWebSocket.all.add(this)
    setTimeout(() => {
      this.readyState = 1
      this.emit({ type: 'open' })
      this.#answer(FakeWebSocket.server.opened?.())
    }, 0)
  }

  addEventListener(type, listener) {
    this.#listeners[type].push(listener)
  }

  removeEventListener(type, listener) {
    this.#listeners[type] = this.#listeners[type].filter((other) => other !== listener)
  }

  send(text) {
    this.#answer(FakeWebSocket.server.received?.(text))
  }

  #answer(texts = []) {
    if (texts.length > 0) setTimeout(() => this.feed(texts), 0)
  }

  close() {
    if (this.readyState === 3) return
    this.readyState = 3
    FakeWebSocket.all.delete(this)
    this.emit({ type: 'close', code: 1000, reason: '', wasClean: true })
  }

  emit(event) {
    this[`on${event.type}`]?.(event)
    for (const listener of this.#listeners[event.type]) listener(event)
  }

  /** Delivers texts, at the least possible cost. */
  feed(texts) {
    const { onmessage } = this
    const listeners = this.#listeners.message
    for (const data of texts) {
      const event = { type: 'message', data }
      if (onmessage !== null) onmessage.call(this, event)
      for (const listener of listeners) listener(event)
    }
  }
}
