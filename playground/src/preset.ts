import type { ModeName } from '@pushstream/core'

/** The four modes in the order they are offered. */
export const allModes: readonly ModeName[] = ['websocket', 'eventsource', 'stream', 'longpolling']

/** What the page begins with. */
export interface Preset {
  readonly url: string
  readonly modes: readonly ModeName[]
  /** Names with their backtrack. */
  readonly channels: ReadonlyMap<string, number>
  readonly connect: boolean
}

const isMode = (name: string): name is ModeName => (allModes as readonly string[]).includes(name)

/**
 * Reads the page's query: `?channels=global,user-42.b5&modes=websocket|longpolling&url=https://…&connect=off`. A
 * channel's `.bN` is its backtrack.
 */
export function readPreset(query: string, origin: string): Preset {
  const given = new URLSearchParams(query)
  const modes = (given.get('modes') ?? '').split('|').filter(isMode)
  const channels = new Map<string, number>()
  for (const item of (given.get('channels') ?? 'global').split(',')) {
    const [, name = item, backtrack = '0'] = /^(.+)\.b(\d+)$/.exec(item) ?? []
    if (name.trim() !== '') channels.set(name.trim(), Number(backtrack))
  }
  return {
    url: given.get('url') ?? origin,
    modes: modes.length > 0 ? [...new Set(modes)] : ['websocket', 'eventsource', 'longpolling'],
    channels,
    connect: given.get('connect') !== 'off',
  }
}
