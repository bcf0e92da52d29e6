import { Window } from 'happy-dom'

// A document for the element, whose class is made when it is imported: so this comes first. Frames and timers are the
// test's own.
const window = new Window({ url: 'http://127.0.0.1/' }) as unknown as typeof globalThis & { close(): void }
const names = [
  ...['document', 'customElements', 'Node', 'Element', 'HTMLElement', 'HTMLInputElement', 'SVGElement'],
  ...['MathMLElement', 'ShadowRoot', 'CSSStyleSheet', 'ResizeObserver', 'Event', 'KeyboardEvent', 'matchMedia'],
  ...['location', 'navigator'],
] as const
const from = window as unknown as Record<string, unknown>
const page: Record<string, unknown> = { window }
for (const name of names)
  page[name] =
    typeof from[name] === 'function' && /^[a-z]/.test(name) ? (from[name] as () => void).bind(window) : from[name]
for (const [name, value] of Object.entries(page)) {
  if (value !== undefined) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}

let frames: (() => void)[] = []
let asked = 0

Object.assign(globalThis, {
  requestAnimationFrame(callback: () => void) {
    frames.push(callback)
    return ++asked
  },
  cancelAnimationFrame() {
    frames = []
  },
})

/** Draws what waits for the next frame. Returns how many callbacks did. */
export function nextFrame(): number {
  const due = frames
  frames = []
  for (const callback of due) callback()
  return due.length
}

/** How many callbacks wait for the next frame. */
export const framesDue = (): number => frames.length
