import type { Options } from '../options.js'
import type { PushStreamSettings } from '../protocols/push-stream.js'
import { messageTemplate } from '../protocols/template.js'
import type { Params } from '../types.js'
import { type ClassicProperties, defaults, modeOf } from './properties.js'

type Interval = {
  [Name in keyof typeof defaults]: (typeof defaults)[Name] extends number ? Name : never
}[keyof typeof defaults]

/** The server's address. */
export function baseOf({ useSSL, host, port }: ClassicProperties): string {
  const usual = Number(port || 0) === 0 || Number(port) === (useSSL ? 443 : 80)
  return `${useSSL ? 'https' : 'http'}://${host}${usual ? '' : `:${port}`}`
}

/** The names of the settings that describe the module's configuration. */
const ofServer = /^urlPrefix|^json|Argument$/

/** The settings of the protocol: what it must know of the module's configuration. */
export function serverOf(properties: ClassicProperties): PushStreamSettings {
  const { messageTemplate: template } = properties
  return {
    // `false` is left out: by default, the position goes both ways, because a websocket has only the query.
    ...Object.fromEntries(Object.entries(properties).filter(([name, value]) => ofServer.test(name) && value)),
    text: 'encoded',
    ...(template && { messageTemplate: messageTemplate(template) }),
  }
}

/** The time from which the page wants messages. */
export function beginningOf({ messagesPublishedAfter: after }: ClassicProperties): Date | number | undefined {
  if (after instanceof Date) return after
  const seconds = Number(after)
  return seconds < 0 ? new Date(0) : seconds > 0 ? seconds : undefined
}

/** A time in ms. What is not one counts as not set. */
export const ms = (properties: ClassicProperties, name: Interval): number =>
  Number(properties[name]) > 0 ? Number(properties[name]) : defaults[name]

/** The client options that can be compared, to notice changed settings. */
export function optionsOf(properties: ClassicProperties): Options {
  const { autoReconnect, credentials } = properties
  const first = ms(properties, 'reconnectOnTimeoutInterval')
  return {
    url: baseOf(properties),
    modes: properties.wrappers.map(modeOf),
    timeout: ms(properties, 'timeout'),
    pingtimeout: ms(properties, 'pingtimeout'),
    reconnectOnTimeoutInterval: first,
    reconnectOnChannelUnavailableInterval: Math.max(first, ms(properties, 'reconnectOnChannelUnavailableInterval')),
    autoReconnect,
    ...(credentials && { credentials }),
  }
}

/** The query arguments that the page adds to a request. `null` and `undefined` become an empty value. */
export async function paramsOf(properties: ClassicProperties): Promise<Params> {
  const given = (await properties.extraParams?.()) ?? {}
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value ?? '']))
}
