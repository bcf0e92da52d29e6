import type { Stats } from '@pushstream/core'
import { byId, setText } from './dom.js'
import type { Session } from './session.js'

const names: readonly (keyof Stats)[] = ['received', 'duplicates', 'gaps', 'reconnects']

/** The client's own numbers. */
export class CountersView {
  readonly #session: Session
  readonly #nodes = new Map(names.map((name) => [name, byId(`counter-${name}`, HTMLElement)]))

  constructor(session: Session) {
    this.#session = session
  }

  tick(): void {
    const { stats } = this.#session
    for (const [name, node] of this.#nodes) {
      setText(node, stats[name].toLocaleString('en'))
      node.dataset.value = String(stats[name])
    }
  }
}
