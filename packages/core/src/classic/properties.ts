import { defaultEnvironment } from '../environment.js'
import type { SentCredentials } from '../platform.js'
import type { Environment, ModeName, Params, Provider } from '../types.js'
import type { ClassicCallbacks, ClassicSettings } from './settings.js'

/** A way to connect that this browser supports, as in `wrapper` and `wrappers` of the original script. */
export interface Wrapper {
  /** The name of the mode. */
  readonly type: 'WebSocket' | 'EventSource' | 'Stream' | 'LongPolling'
}

/** The channels of a client and their options, by name. `backtrack`: how many stored messages to begin with. */
export type ClassicChannels = Record<string, { backtrack?: number | string }>

/** The name of each mode as pages read it. */
const types: Record<ModeName, Wrapper['type']> = {
  websocket: 'WebSocket',
  eventsource: 'EventSource',
  stream: 'Stream',
  longpolling: 'LongPolling',
}

const isMode = (name: string): name is ModeName => Object.hasOwn(types, name)

/** The mode of a wrapper. */
export const modeOf = ({ type }: Wrapper): ModeName => type.toLowerCase() as ModeName

/** The wrapper of a mode. */
export const wrapperOf = (mode: ModeName): Wrapper => ({ type: types[mode] })

/** The wrappers of these modes, in order, without those that the browser lacks. */
export function wrappersOf(modes: readonly string[], { WebSocket, EventSource }: Environment): Wrapper[] {
  const lacking = (mode: ModeName) => (mode === 'websocket' && !WebSocket) || (mode === 'eventsource' && !EventSource)
  return [...new Set(modes.filter(isMode))].filter((mode) => !lacking(mode)).map(wrapperOf)
}

/** What a setting is if the page does not give it, or gives something empty. */
export const defaults = {
  timeout: 30_000,
  pingtimeout: 30_000,
  reconnectOnTimeoutInterval: 3000,
  reconnectOnChannelUnavailableInterval: 60_000,
  lastEventId: null,
  messagesControlByArgument: false,
  tagArgument: 'tag',
  timeArgument: 'time',
  eventIdArgument: 'eventid',
  useJSONP: false,
  urlPrefixPublisher: '/pub',
  urlPrefixStream: '/sub',
  urlPrefixEventsource: '/ev',
  urlPrefixLongpolling: '/lp',
  urlPrefixWebsocket: '/ws',
  jsonIdKey: 'id',
  jsonChannelKey: 'channel',
  jsonTextKey: 'text',
  jsonTagKey: 'tag',
  jsonTimeKey: 'time',
  jsonEventIdKey: 'eventid',
  channelsByArgument: false,
  channelsArgument: 'channels',
  onmessage: null,
  onerror: null,
  onstatuschange: null,
  onchanneldeleted: null,
  ongap: null,
}

/**
 * The properties of a classic client. A page may read them, and may write them until it calls `connect`. Each is
 * described at the setting of the same name, see {@link ClassicSettings}.
 */
export class ClassicProperties {
  declare useSSL: boolean
  declare host: string | undefined
  declare port: number
  /** How long to wait for the server's answer, in ms. */
  declare timeout: number
  /** The silence after which a connection is checked, in ms. */
  declare pingtimeout: number
  /** The first back-off, in ms. */
  declare reconnectOnTimeoutInterval: number
  /** The wait until a refused channel is asked for again, in ms. It is also the longest back-off. */
  declare reconnectOnChannelUnavailableInterval: number
  declare autoReconnect: boolean
  declare lastEventId: string | null
  /** Seconds before `connect`, or a Date. A negative number: all stored messages. */
  declare messagesPublishedAfter: number | string | Date | undefined
  declare messagesControlByArgument: boolean
  declare tagArgument: string
  declare timeArgument: string
  declare eventIdArgument: string
  /** Has no effect. */
  declare useJSONP: boolean
  declare urlPrefixPublisher: string
  declare urlPrefixStream: string
  declare urlPrefixEventsource: string
  declare urlPrefixLongpolling: string
  declare urlPrefixWebsocket: string
  declare jsonIdKey: string
  declare jsonChannelKey: string
  declare jsonTextKey: string
  declare jsonTagKey: string
  declare jsonTimeKey: string
  declare jsonEventIdKey: string
  declare modes: readonly string[]
  /** Those of `modes` that this browser has. */
  declare wrappers: Wrapper[]
  /** The mode in use, or the last one. */
  wrapper: Wrapper | null = null
  /** Called before every request. */
  extraParams: (() => Params) | undefined
  /** The channels, by name. Use `addChannel` and `removeChannel` to change them. */
  channels: ClassicChannels = {}
  /** How many channels there are. */
  channelsCount = 0
  declare channelsByArgument: boolean
  declare channelsArgument: string
  declare messageTemplate: string | undefined
  declare credentials: SentCredentials | undefined
  declare headers: Provider<Record<string, string>> | undefined
  declare onmessage: NonNullable<ClassicCallbacks['onmessage']> | null
  declare onerror: NonNullable<ClassicCallbacks['onerror']> | null
  declare onstatuschange: NonNullable<ClassicCallbacks['onstatuschange']> | null
  declare onchanneldeleted: NonNullable<ClassicCallbacks['onchanneldeleted']> | null
  declare ongap: NonNullable<ClassicCallbacks['ongap']> | null
  readonly #injected: Partial<Environment> | undefined

  constructor(settings: ClassicSettings) {
    const { modes, messagesPublishedAfter, messageTemplate, credentials, headers } = settings
    this.#injected = settings.environment
    const { environment } = this
    for (const [name, usual] of Object.entries(defaults)) {
      Object.assign(this, { [name]: settings[name as keyof ClassicSettings] || usual })
    }
    // On an https page, the browser forbids anything else.
    this.useSSL = Boolean(settings.useSSL ?? environment.location?.protocol === 'https:')
    this.host = settings.host || environment.location?.hostname
    this.port = Number(settings.port || (this.useSSL ? 443 : 80))
    this.autoReconnect = settings.autoReconnect !== false
    this.modes = (modes || 'eventsource|websocket|stream|longpolling').split('|')
    this.wrappers = wrappersOf(this.modes, environment)
    this.extraParams = settings.extraParams ?? (() => ({}))
    Object.assign(this, { messagesPublishedAfter, messageTemplate, credentials, headers })
  }

  /** The page's own environment, overridden by the injected one. */
  protected get environment(): Environment {
    return { ...defaultEnvironment(), ...this.#injected }
  }
}
