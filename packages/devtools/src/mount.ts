import { PushStreamDevtoolsElement } from './element.js'
import type { AnyClient, DevtoolsOptions } from './options.js'

const name = 'pushstream-devtools'

/**
 * Makes `<pushstream-devtools>` known to the page. A second call changes nothing.
 *
 * @example
 * ```ts
 * import { defineDevtools } from '@pushstream/devtools'
 *
 * defineDevtools()
 * document.body.append(document.createElement('pushstream-devtools'))
 * ```
 */
export function defineDevtools(): void {
  if (!customElements.get(name)) customElements.define(name, PushStreamDevtoolsElement)
}

/**
 * Adds the devtools to the page: a button in the corner that opens a panel. The client may run already.
 *
 * @returns a function that removes them. The client is then as it was.
 * @throws PushStreamError `closed` if the client is closed.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { mountDevtools } from '@pushstream/devtools'
 *
 * const remove = mountDevtools(new PushStream().addChannel('news').connect())
 * ```
 */
export function mountDevtools(client: AnyClient, { open = false, theme, sentAt }: DevtoolsOptions = {}): () => void {
  defineDevtools()
  const element = document.createElement(name) as PushStreamDevtoolsElement
  element.open = open
  if (theme !== undefined) element.setAttribute('theme', theme)
  element.sentAt = sentAt
  element.client = client
  document.body.append(element)
  return () => element.remove()
}
