import { Window } from 'happy-dom'

// A document for frameworks, which look for one when they are imported: so this comes first. Whatever Node has itself
// stays Node's, above all fetch and the timers.
const window = new Window({ url: 'http://127.0.0.1/' })
const { document, navigator, Node, Element, HTMLElement, SVGElement, MathMLElement, ShadowRoot } =
  window as typeof window & {
    MathMLElement: unknown
  }
const page = { window, document, navigator, Node, Element, HTMLElement, SVGElement, MathMLElement, ShadowRoot }
for (const [name, value] of Object.entries(page)) {
  if (value !== undefined) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}
