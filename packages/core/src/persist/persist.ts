import type { Client } from '../client.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import { hashOf } from '../delivery/sequencer.js'
import { bad, PushStreamError } from '../errors.js'
import { internalsOf } from '../internals.js'
import type { Persist, Settings } from '../options.js'
import type { Memory } from '../platform.js'
import { isSnapshot, progressOf, restore, type Snapshot, snapshotOf } from './snapshot.js'

/**
 * Where positions are kept, such as `localStorage`.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { type PositionStorage, persist } from '@pushstream/core/persist'
 *
 * const kept = new Map<string, string>()
 * const getItem = (key: string) => kept.get(key) ?? null
 * const storage: PositionStorage = { getItem, setItem: (key, text) => void kept.set(key, text) }
 * const stream = new PushStream({ persist: persist({ storage }) })
 * ```
 */
export type PositionStorage = Memory

/**
 * How positions are kept.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { persist } from '@pushstream/core/persist'
 *
 * const stream = new PushStream({ persist: persist('local', { key: 'user-42' }) })
 * ```
 */
export interface PersistOptions {
  /**
   * Added to the key in the storage, which names the server and its locations. Set the user's id if several people use
   * one browser: otherwise one of them goes on where another one ended. Default: none.
   */
  key?: string
}

/** So many channels that the client does not have are kept, those that were used last. */
const others = 100

/** A text of its own for every server and the way it is asked. */
function keyOf({ hosts, protocol }: Settings, key: string): string {
  const channels = [{ name: '*' }]
  const asked = { channels, position: undefined, eventId: undefined, params: {}, headers: {} }
  let place = hosts.current
  try {
    place = protocol.capabilities.modes.map((mode) => protocol.exchange(mode, asked).url).join()
  } catch {
    // A function of the application that makes addresses of names knows no such name.
  }
  return `pushstream ${hosts.current} ${hashOf({ fingerprint: place }).toString(36)} ${key}`.trim()
}

/** Snapshots as one text, behind its checksum. */
function textOf(snapshots: Iterable<Snapshot>): string {
  const json = JSON.stringify([...snapshots])
  return `${hashOf({ fingerprint: json })} ${json}`
}

/** The snapshots in a text, by channel. None where it is damaged. */
function read(text: string | null, now: number): Map<string, Snapshot> {
  const [, hash, json = ''] = /^(\d+) (.*)$/s.exec(text ?? '') ?? []
  try {
    const all: unknown[] = hash === String(hashOf({ fingerprint: json })) ? JSON.parse(json) : []
    return new Map(all.filter((one) => isSnapshot(one, now)).map((one) => [one[0], one]))
  } catch {
    return new Map()
  }
}

/**
 * Keeps how far each channel is across page loads, so that no message is lost or comes twice. Nothing of the messages is kept.
 *
 * @param where `session`: for this tab, until it is closed. `local`: for all tabs, and after a restart of the browser. Or a
 * storage of your own. Default `session`.
 * @throws PushStreamError `bad-option` for anything else.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { persist } from '@pushstream/core/persist'
 *
 * const stream = new PushStream({ persist: persist('session') })
 * ```
 */
export function persist(
  where: 'session' | 'local' | ({ storage: PositionStorage } & PersistOptions) = 'session',
  options: PersistOptions = {},
): Persist {
  const own = typeof where === 'object' && typeof where?.storage?.setItem === 'function' ? where : undefined
  if (own === undefined && where !== 'session' && where !== 'local')
    throw bad(`persist takes 'session', 'local' or { storage }.`)
  return (client) =>
    keep(client as Client, () => own?.storage ?? globalThis[`${where as 'local'}Storage`], own ?? options)
}

/** Keeps the positions of a client as its page comes and goes. */
function keep(client: Client, storage: () => PositionStorage | undefined, options: PersistOptions) {
  const { begin, mine, save, soon } = createKeeper(client, storage, options)
  const { endings, settings } = internalsOf(client)
  const { page } = settings.environment
  let waiting: Parameters<typeof begin>[] = []

  client.on('message', soon).on('open', soon)
  const unlisten = page && [
    page.onLeave(save),
    page.onBack(() => {
      if (page.prerendering) return
      for (const one of waiting) begin(...one)
      waiting = []
    }),
  ]
  endings.add(() => {
    save()
    for (const stop of unlisten ?? []) stop()
  })

  return (store: ChannelStore, name: string) => {
    // What was removed and is added again begins anew.
    if (mine.has(name)) return
    mine.set(name, -1)
    // Until a prerendered page is shown, the one before it receives.
    if (page?.prerendering) waiting.push([store, name])
    else begin(store, name)
  }
}

/** Reads and writes the positions of a client's channels, which other pages may do as well. */
function createKeeper(client: Client, storage: () => PositionStorage | undefined, { key = '' }: PersistOptions) {
  const { settings, pool, emit } = internalsOf(client)
  const { environment, protocol } = settings
  const place = keyOf(settings, key)
  /** Channels of this client, and how far each was when that was kept last. `undefined`: it was removed. */
  const mine = new Map<string, number | undefined>()
  let text: string | null = null
  let kept = new Map<string, Snapshot>()
  let due = false
  let told = false

  /** Says once that there is no storage, or that it is full. */
  function failed(cause: unknown): void {
    if (!told)
      emit('error', new PushStreamError('setup', 'No position can be stored: a page load begins anew.', { cause }))
    told = true
  }

  /** Takes in what another page or client has kept. Returns whether there is some. */
  function refresh(): boolean {
    const found = (storage() as PositionStorage).getItem(place)
    if (found === text) return false
    text = found
    kept = read(found, environment.now())
    return true
  }

  /** Brings what is kept up to date. `shared`: others have written to it. */
  function update(shared: boolean): void {
    const all = (pool.stores ?? []).flatMap((store) => store.all)
    // The server may have refused channels of other tabs as well.
    const channels = new Map(all.filter(({ name }) => mine.has(name)).map((channel) => [channel.name, channel]))
    for (const [name, progress] of mine) {
      if (progress === undefined || channels.has(name)) continue
      kept.delete(name)
      mine.set(name, undefined)
    }
    for (const [name, channel] of channels) {
      const next = snapshotOf(channel, protocol.guarantees)
      if (next === undefined) {
        kept.delete(name)
        continue
      }
      const progress = progressOf(next)
      const before = kept.get(name)
      // Another page is further. Only a server that counts anew makes a position go back.
      const behind = shared && before && progressOf(before) > progress && progress >= (mine.get(name) ?? -1)
      mine.set(name, progress)
      if (behind) continue
      // Those that were used last are the last.
      kept.delete(name)
      kept.set(name, next)
    }
    for (const name of kept.keys()) if (kept.size > mine.size + others) kept.delete(name)
  }

  function save(): void {
    due = false
    try {
      update(refresh())
      const written = textOf(kept.values())
      if (written === text) return
      ;(storage() as PositionStorage).setItem(place, written)
      text = written
    } catch (cause) {
      failed(cause)
    }
  }

  /** Once for everything that a task brings: when it ends, what was delivered is kept. */
  function soon(): void {
    if (due) return
    due = true
    queueMicrotask(() => due && save())
  }

  /** Lets a channel go on from what is kept. */
  function begin(store: ChannelStore, name: string): void {
    try {
      refresh()
    } catch {
      // It is said when there is something to store.
    }
    const channel = store.get(name)
    const snapshot = kept.get(name)
    if (channel && snapshot) restore(store, channel, snapshot)
  }

  return { begin, mine, save, soon }
}
