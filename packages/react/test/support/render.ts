import '../../../core/test/support/dom.js'
import { act, createElement, type ReactNode, StrictMode } from 'react'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })

export interface Rendered {
  readonly text: string
  /** Shows something else in the same place. */
  show(node: ReactNode): Promise<void>
  unmount(): Promise<void>
}

const open: Root[] = []

/** Shows something as an application does: under StrictMode, unless told otherwise. `html`: what a server has rendered. */
export async function render(node: ReactNode, { strict = true, html = '' } = {}): Promise<Rendered> {
  const place = document.createElement('div')
  document.body.append(place)
  const wrapped = (inner: ReactNode) => (strict ? createElement(StrictMode, null, inner) : inner)
  let root: Root | undefined
  await act(async () => {
    if (html === '') {
      root = createRoot(place)
      root.render(wrapped(node))
    } else {
      place.innerHTML = html
      root = hydrateRoot(place, wrapped(node))
    }
  })
  const made = root as Root
  open.push(made)
  return {
    get text() {
      return place.textContent ?? ''
    },
    show: (other) => act(async () => made.render(wrapped(other))),
    unmount: () => act(async () => made.unmount()),
  }
}

/** Takes everything away that a test has shown. */
export async function clear(): Promise<void> {
  for (const root of open.splice(0)) await act(async () => root.unmount())
}

export { act }
