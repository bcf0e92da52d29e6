import { encodeFrame, OPCODE } from './frames.js'
import { type Padding, parsePaddings } from './padding.js'
import { Passthrough } from './passthrough.js'
import { type LocationSettings, resolveSettings, type Settings } from './settings.js'
import { asComments, Template } from './template.js'

/** The five subscriber modes. */
export type SubscriberMode = 'streaming' | 'eventsource' | 'long-polling' | 'polling' | 'websocket'

/** What a location does. `publisher` is the module's normal mode: no DELETE. */
export type LocationMode = SubscriberMode | 'publisher-admin' | 'publisher' | 'statistics'

/**
 * A location, like nginx's.
 *
 * @example
 * ```ts
 * import { createDevServer } from '@pushstream/devserver'
 *
 * const server = createDevServer({
 *   locations: [
 *     { path: '/in', mode: 'publisher' },
 *     { path: '/raw/', mode: 'websocket', settings: { messageTemplate: '~text~' } },
 *   ],
 * })
 * ```
 */
export interface LocationOptions {
  /** The path, such as `/ws/`, which stands for `/ws`, `/ws/` and everything below. */
  path: string
  /** What the location does. */
  mode: LocationMode
  /** Its own settings. They override those for all locations. */
  settings?: Partial<LocationSettings>
}

/**
 * The locations of a server without the option `locations`.
 *
 * @example
 * ```ts
 * import { createDevServer, DEFAULT_LOCATIONS } from '@pushstream/devserver'
 *
 * const server = createDevServer({ locations: [...DEFAULT_LOCATIONS, { path: '/in', mode: 'publisher' }] })
 * ```
 */
export const DEFAULT_LOCATIONS: readonly LocationOptions[] = [
  { path: '/pub', mode: 'publisher-admin' },
  { path: '/channels-stats', mode: 'statistics' },
  { path: '/ws/', mode: 'websocket' },
  { path: '/ev/', mode: 'eventsource' },
  { path: '/lp/', mode: 'long-polling' },
  { path: '/pl/', mode: 'polling' },
  { path: '/sub/', mode: 'streaming' },
]

/** A location, ready for requests. */
export interface Location {
  /** Without a trailing slash. */
  path: string
  mode: LocationMode
  settings: Settings
  template: Template
  /** The header template's bytes in this mode, or null. */
  header: Buffer | null
  /** The footer template's bytes in this mode, or null. */
  footer: Buffer | null
  paddings: Padding[]
  contentType: string
  channelsArgument: string
  passthrough: Passthrough | null
}

/** Prepares locations, longest path first so that the most particular one answers. */
export function resolveLocations(
  options: readonly LocationOptions[],
  base: string,
  shared: Partial<Settings>,
): Location[] {
  const prefix = base.replace(/\/+$/, '')
  return options
    .map((option) => {
      if (!option.path.startsWith('/')) throw new Error(`location "${option.path}" must begin with "/"`)
      return resolveLocation(prefix + option.path.replace(/\/+$/, ''), option, resolveSettings(shared, option.settings))
    })
    .sort((a, b) => b.path.length - a.path.length)
}

function resolveLocation(path: string, { mode }: LocationOptions, settings: Settings): Location {
  const eventsource = mode === 'eventsource'
  const reads = mode.startsWith('publisher') || mode === 'statistics'
  const wrapping = eventsource ? 'eventsource' : mode === 'websocket' ? 'websocket' : 'plain'
  return {
    path,
    mode,
    settings,
    template: new Template(settings.messageTemplate, wrapping),
    header: eventsource && settings.headerTemplate === '' ? Buffer.from(': \n') : fixed(settings.headerTemplate, mode),
    footer: fixed(settings.footerTemplate, mode),
    paddings: parsePaddings(settings.paddingByUserAgent),
    contentType: settings.defaultType ?? (mode === 'streaming' ? 'text/html; charset=utf-8' : 'text/plain'),
    channelsArgument: settings.channelsArgument ?? (reads ? 'id' : 'channels'),
    passthrough: settings.passthrough === null || reads ? null : new Passthrough(settings.passthrough),
  }
}

function fixed(template: string, mode: LocationMode): Buffer | null {
  if (template === '') return null
  if (mode === 'eventsource') return Buffer.from(asComments(template))
  return mode === 'websocket' ? encodeFrame(OPCODE.text, Buffer.from(template)) : Buffer.from(template)
}

/** The location of a decoded path, and what follows it: the channels path. */
export function findLocation(locations: Location[], path: string): { location: Location; rest: string } | null {
  for (const location of locations) {
    if (path === location.path) return { location, rest: '' }
    if (path.startsWith(`${location.path}/`)) return { location, rest: path.slice(location.path.length + 1) }
  }
  return null
}
