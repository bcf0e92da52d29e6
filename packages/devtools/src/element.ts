import { Recorder } from './model/recorder.js'
import type { AnyClient, DevtoolsOptions } from './options.js'
import { Panel } from './panel.js'
import { styles } from './styles.js'

/** A server that renders has no elements. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement

let sheet: CSSStyleSheet | undefined

/**
 * `<pushstream-devtools>`: shows what its `client` does. Attributes: `open`; `inline` shows everything in the page instead
 * of a button and a panel; `theme`, `light` or `dark`.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { defineDevtools, type PushStreamDevtoolsElement } from '@pushstream/devtools'
 *
 * defineDevtools()
 * const element = document.querySelector<PushStreamDevtoolsElement>('pushstream-devtools')
 * if (element) element.client = new PushStream().addChannel('news').connect()
 * ```
 */
export class PushStreamDevtoolsElement extends Base {
  static readonly observedAttributes = ['open']

  #recorder: Recorder | undefined
  #panel: Panel | undefined
  #client: AnyClient | undefined
  #sentAt: DevtoolsOptions['sentAt']

  /** The client to show. You may replace it: earlier records stay. */
  get client(): AnyClient | undefined {
    return this.#client
  }

  set client(client: AnyClient | undefined) {
    this.#client = client
    if (this.isConnected) this.#attach()
  }

  /** Tells when a message was sent: see {@link DevtoolsOptions}. */
  get sentAt(): DevtoolsOptions['sentAt'] {
    return this.#sentAt
  }

  set sentAt(sentAt: DevtoolsOptions['sentAt']) {
    this.#sentAt = sentAt
    if (this.#recorder) this.#recorder.sentAt = sentAt
  }

  /** Whether the panel is open. */
  get open(): boolean {
    return this.hasAttribute('open')
  }

  set open(open: boolean) {
    this.toggleAttribute('open', open)
  }

  connectedCallback(): void {
    if (this.#panel === undefined) this.#make()
    this.#panel?.start()
    this.#attach()
  }

  disconnectedCallback(): void {
    this.#recorder?.detach()
    this.#panel?.stop()
  }

  attributeChangedCallback(): void {
    if (this.#panel) this.#panel.open = this.open
  }

  #make(): void {
    const recorder = new Recorder(() => this.#panel?.changed())
    recorder.sentAt = this.#sentAt
    const opened = (open: boolean) => {
      this.open = open
    }
    this.#recorder = recorder
    this.#panel = new Panel(recorder, this.hasAttribute('inline'), this.open, opened)
    const root = this.attachShadow({ mode: 'open' })
    if (sheet === undefined) {
      // Not a <style>, which a policy for the page may forbid.
      sheet = new CSSStyleSheet()
      sheet.replaceSync(styles)
    }
    root.adoptedStyleSheets = [sheet]
    root.append(...this.#panel.nodes)
  }

  #attach(): void {
    const recorder = this.#recorder
    if (recorder === undefined || recorder.client === this.#client) return
    if (this.#client === undefined) recorder.detach()
    else recorder.attach(this.#client)
  }
}
