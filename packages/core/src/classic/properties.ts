import { defaultEnvironment } from '../environment.js'
import type { Environment, ModeName, Params, Provider } from '../types.js'
import type { ClassicCallbacks, ClassicSettings } from './settings.js'

/** A way to connect that this browser has, as pages read it from `wrapper` and `wrappers`. */
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

/**
 * The properties of a classic client. A page may read them, and may write them until it calls `connect`. Each is
 * described at the setting of the same name, see {@link ClassicSettings}.
 */
export class ClassicProperties {
  useSSL: boolean
  host: string | undefined
  port: number
  /** How long to wait for the server's answer, in ms. */
  timeout: number
  /** The silence after which a connection is checked, in ms. */
  pingtimeout: number
  /** The first back-off, in ms. */
  reconnectOnTimeoutInterval: number
  /** The wait until a refused channel is asked for again, in ms. It is also the longest back-off. */
  reconnectOnChannelUnavailableInterval: number
  autoReconnect: boolean
  lastEventId: string | null
  /** Seconds before `connect`, or a Date. A negative number: all stored messages. */
  messagesPublishedAfter: number | string | Date | undefined
  messagesControlByArgument: boolean
  tagArgument: string
  timeArgument: string
  eventIdArgument: string
  /** Has no effect. */
  useJSONP: boolean
  urlPrefixPublisher: string
  urlPrefixStream: string
  urlPrefixEventsource: string
  urlPrefixLongpolling: string
  urlPrefixWebsocket: string
  jsonIdKey: string
  jsonChannelKey: string
  jsonTextKey: string
  jsonTagKey: string
  jsonTimeKey: string
  jsonEventIdKey: string
  modes: readonly string[]
  /** Those of `modes` that this browser has. */
  wrappers: Wrapper[]
  /** The mode in use, or the last one. */
  wrapper: Wrapper | null = null
  /** Called before every request. */
  extraParams: (() => Params) | undefined
  /** The channels, by name. Use `addChannel` and `removeChannel` to change them. */
  channels: ClassicChannels = {}
  /** How many channels there are. */
  channelsCount = 0
  channelsByArgument: boolean
  channelsArgument: string
  messageTemplate: string | undefined
  credentials: RequestCredentials | undefined
  headers: Provider<Record<string, string>> | undefined
  onmessage: NonNullable<ClassicCallbacks['onmessage']> | null
  onerror: NonNullable<ClassicCallbacks['onerror']> | null
  onstatuschange: NonNullable<ClassicCallbacks['onstatuschange']> | null
  onchanneldeleted: NonNullable<ClassicCallbacks['onchanneldeleted']> | null
  ongap: NonNullable<ClassicCallbacks['ongap']> | null
  readonly #injected: Partial<Environment> | undefined

  constructor(settings: ClassicSettings) {
    this.#injected = settings.environment
    const { environment } = this
    // On an https page, the browser forbids anything else.
    this.useSSL = Boolean(settings.useSSL ?? environment.location?.protocol === 'https:')
    this.host = settings.host || environment.location?.hostname
    this.port = Number(settings.port || (this.useSSL ? 443 : 80))
    this.timeout = settings.timeout || 30_000
    this.pingtimeout = settings.pingtimeout || 30_000
    this.reconnectOnTimeoutInterval = settings.reconnectOnTimeoutInterval || 3000
    this.reconnectOnChannelUnavailableInterval = settings.reconnectOnChannelUnavailableInterval || 60_000
    this.autoReconnect = settings.autoReconnect !== false
    this.lastEventId = settings.lastEventId || null
    this.messagesPublishedAfter = settings.messagesPublishedAfter
    this.messagesControlByArgument = settings.messagesControlByArgument || false
    this.tagArgument = settings.tagArgument || 'tag'
    this.timeArgument = settings.timeArgument || 'time'
    this.eventIdArgument = settings.eventIdArgument || 'eventid'
    this.useJSONP = settings.useJSONP || false
    this.urlPrefixPublisher = settings.urlPrefixPublisher || '/pub'
    this.urlPrefixStream = settings.urlPrefixStream || '/sub'
    this.urlPrefixEventsource = settings.urlPrefixEventsource || '/ev'
    this.urlPrefixLongpolling = settings.urlPrefixLongpolling || '/lp'
    this.urlPrefixWebsocket = settings.urlPrefixWebsocket || '/ws'
    this.jsonIdKey = settings.jsonIdKey || 'id'
    this.jsonChannelKey = settings.jsonChannelKey || 'channel'
    this.jsonTextKey = settings.jsonTextKey || 'text'
    this.jsonTagKey = settings.jsonTagKey || 'tag'
    this.jsonTimeKey = settings.jsonTimeKey || 'time'
    this.jsonEventIdKey = settings.jsonEventIdKey || 'eventid'
    this.modes = (settings.modes || 'eventsource|websocket|stream|longpolling').split('|')
    this.wrappers = wrappersOf(this.modes, environment)
    this.extraParams = settings.extraParams ?? (() => ({}))
    this.channelsByArgument = settings.channelsByArgument || false
    this.channelsArgument = settings.channelsArgument || 'channels'
    this.messageTemplate = settings.messageTemplate
    this.credentials = settings.credentials
    this.headers = settings.headers
    this.onmessage = settings.onmessage || null
    this.onerror = settings.onerror || null
    this.onstatuschange = settings.onstatuschange || null
    this.onchanneldeleted = settings.onchanneldeleted || null
    this.ongap = settings.ongap || null
  }

  /** The page's own environment, overridden by the injected one. */
  protected get environment(): Environment {
    return { ...defaultEnvironment(), ...this.#injected }
  }
}
