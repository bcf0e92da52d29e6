import type { FaultState } from '../server/faults.js'
import { byId, setText } from './dom.js'

const refresh = 2000

/** The buttons that break the way to the server. They need the server of this page to play along. */
export class FaultsView {
  readonly #panel = byId('faults', HTMLElement)
  readonly #result = byId('fault-result', HTMLElement)
  readonly #connections = byId('fault-connections', HTMLElement)
  readonly #blackhole = byId('fault-blackhole', HTMLButtonElement)
  readonly #websocket = byId('fault-websocket', HTMLButtonElement)

  constructor() {
    this.#on('fault-cut', () => ['cut', 'Connections cut.'])
    this.#on('fault-blackhole', () =>
      pressed(this.#blackhole)
        ? ['blackhole/off', 'Black hole off. New connections work.']
        : ['blackhole/on', 'Black hole on. Nothing comes through.'],
    )
    this.#on('fault-websocket', () =>
      pressed(this.#websocket)
        ? ['websocket/pass', 'Websockets pass. The client climbs back within a minute or so.']
        : ['websocket/block', 'Websockets are refused.'],
    )
    this.#on('fault-reload', () => ['reload', 'Server reloaded: connections ended, messages kept.'])
    this.#on('fault-restart', () => ['restart', 'Server restarted: messages and ids are lost.'])
    window.setInterval(() => {
      if (document.visibilityState === 'visible' && !this.#panel.hasAttribute('data-missing')) void this.#look()
    }, refresh)
    void this.#look()
  }

  #on(id: string, action: () => [path: string, said: string]): void {
    byId(id, HTMLButtonElement).addEventListener('click', async () => {
      const [path, said] = action()
      await this.#ask(path, 'POST', said)
    })
  }

  #look(): Promise<void> {
    return this.#ask('state', 'GET')
  }

  async #ask(path: string, method: string, said?: string): Promise<void> {
    try {
      const response = await fetch(`/__faults/${path}`, { method })
      const json = response.headers.get('Content-Type')?.startsWith('application/json') ?? false
      if (response.ok && json) this.#show((await response.json()) as FaultState)
      else if (method === 'GET') return this.#missing()
      else throw new Error(`the server answered ${response.status}`)
      if (said !== undefined) setText(this.#result, said)
    } catch (error) {
      // Vite may just be starting again: the next look finds it.
      if (said !== undefined) setText(this.#result, `That did not work: ${(error as Error).message}`)
    }
  }

  #show({ blackhole, websocketBlocked, connections }: FaultState): void {
    this.#blackhole.setAttribute('aria-pressed', String(blackhole))
    this.#websocket.setAttribute('aria-pressed', String(websocketBlocked))
    const open = Object.entries(connections).filter(([, count]) => count > 0)
    const list = open.map(([kind, count]) => `${count} ${kind}`).join(', ')
    setText(this.#connections, `Subscriber connections at the server: ${list || 'none'}.`)
  }

  /** A page that is served by something else has no faults to offer. */
  #missing(): void {
    this.#panel.setAttribute('data-missing', '')
    for (const button of this.#panel.querySelectorAll('button')) button.disabled = true
    setText(this.#connections, 'Only the development server of this repository can do this: npm start.')
  }
}

const pressed = (button: HTMLButtonElement): boolean => button.getAttribute('aria-pressed') === 'true'
