import type { Carrier } from '../session/carrier.js'
import type { Pool } from '../session/pool.js'
import type { Position } from '../types.js'
import { Tab } from './tab.js'

/**
 * The pool of a tab that shares its connection with others. The leader's pool has the channels of all tabs, and feeds those
 * of the others, which are not connected. A tab that is behind, or gets no answer, connects by itself until the feed has all
 * that it needs.
 */
export class SharedPool extends Tab implements Carrier {
  #unlisten: (() => void)[] = []

  get stuck(): Pool['stuck'] {
    return this.connected ? this.pool.stuck : undefined
  }

  get channels(): string[] {
    return [...this.own]
  }

  get duplicates(): number {
    return this.pool.duplicates
  }

  get reconnects(): number {
    return this.pool.reconnects
  }

  /** Another tab has positions of its own. */
  set restore(restore: Pool['restore']) {
    this.pool.restore = restore && ((store, name) => this.own.has(name) && restore(store, name))
  }

  get stores(): Pool['stores'] {
    const [refused, ...stores] = this.pool.stores
    return [refused, ...stores.map(({ all }) => ({ all: all.filter(({ name }) => this.own.has(name)) }))]
  }

  get groups(): string[][] {
    const groups = this.pool.groups.map((names) => names.filter((name) => this.own.has(name)))
    return groups.filter(({ length }) => length > 0)
  }

  add(name: string, backtrack: number, from: Position | undefined): boolean {
    if (this.own.has(name)) return false
    // Of a channel that it has for others, it gets nothing old for itself: another tab is to lead.
    const yields = this.pool.of(name) && (backtrack > 0 || from !== undefined || this.pool.restore)
    if (yields) this.stop()
    this.own.add(name)
    this.pool.add(name, backtrack, from)
    if (yields) this.start()
    return true
  }

  remove(name: string): boolean {
    const found = this.own.delete(name)
    delete this.known[name]
    this.prune()
    return found
  }

  removeAll(): void {
    this.own.clear()
    this.known = {}
    this.prune()
  }

  /** By websocket, a text would go to the channels of other tabs as well. */
  send(): boolean {
    return false
  }

  connect(): void {
    const { autoReconnect, environment } = this.settings
    const { page } = environment
    const go = (retry: boolean) => page?.prerendering || (this.channel ? retry && this.join(true) : this.start())
    if (page && this.#unlisten.length === 0)
      this.#unlisten = [page.onLeave(() => this.stop()), page.onBack(() => go(autoReconnect))]
    go(true)
  }

  change(anew?: boolean): void {
    // The credentials are those of the leader.
    if (anew && this.connected) this.pool.change(true)
    if (this.channel) this.join()
  }

  disconnect(): void {
    for (const end of this.#unlisten.splice(0)) end()
    this.stop()
  }
}
