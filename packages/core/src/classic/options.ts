import type { Options } from '../client.js'
import type { PushStreamSettings } from '../protocols/push-stream.js'
import { messageTemplate } from '../protocols/template.js'
import type { Params } from '../types.js'
import { type ClassicProperties, modeOf } from './properties.js'

/** The server's address. */
export function baseOf({ useSSL, host, port }: ClassicProperties): string {
  const usual = Number(port || 0) === 0 || Number(port) === (useSSL ? 443 : 80)
  return `${useSSL ? 'https' : 'http'}://${host}${usual ? '' : `:${port}`}`
}

/** The settings of the protocol: what it must know of the module's configuration. */
export function serverOf(properties: ClassicProperties): PushStreamSettings {
  const { messageTemplate: template, messagesControlByArgument } = properties
  const { urlPrefixWebsocket, urlPrefixEventsource, urlPrefixLongpolling, urlPrefixStream } = properties
  const { urlPrefixPublisher, channelsByArgument, channelsArgument } = properties
  const { tagArgument, timeArgument, eventIdArgument } = properties
  const { jsonIdKey, jsonChannelKey, jsonTextKey, jsonTagKey, jsonTimeKey, jsonEventIdKey } = properties
  return {
    urlPrefixWebsocket,
    urlPrefixEventsource,
    urlPrefixLongpolling,
    urlPrefixStream,
    urlPrefixPublisher,
    channelsByArgument,
    channelsArgument,
    tagArgument,
    timeArgument,
    eventIdArgument,
    jsonIdKey,
    jsonChannelKey,
    jsonTextKey,
    jsonTagKey,
    jsonTimeKey,
    jsonEventIdKey,
    text: 'encoded',
    // By default, the position goes both ways, because a websocket has only the query.
    ...(messagesControlByArgument && { messagesControlByArgument }),
    ...(template && { messageTemplate: messageTemplate(template) }),
  }
}

/** The time from which the page wants messages. */
export function beginningOf({ messagesPublishedAfter: after }: ClassicProperties): Date | number | undefined {
  if (after instanceof Date) return after
  const seconds = Number(after)
  return seconds < 0 ? new Date(0) : seconds > 0 ? seconds : undefined
}

const ms = (value: unknown, usual: number) => (Number(value) > 0 ? Number(value) : usual)

/** The client options that can be compared, to notice changed settings. */
export function optionsOf(properties: ClassicProperties): Options {
  const { autoReconnect, credentials } = properties
  const first = ms(properties.reconnectOnTimeoutInterval, 3000)
  return {
    url: baseOf(properties),
    modes: properties.wrappers.map(modeOf),
    timeout: ms(properties.timeout, 30_000),
    pingtimeout: ms(properties.pingtimeout, 30_000),
    reconnectOnTimeoutInterval: first,
    reconnectOnChannelUnavailableInterval: Math.max(
      first,
      ms(properties.reconnectOnChannelUnavailableInterval, 60_000),
    ),
    autoReconnect,
    ...(credentials && { credentials }),
  }
}

/** The query arguments that the page adds to a request. `null` and `undefined` become an empty value. */
export async function paramsOf(properties: ClassicProperties): Promise<Params> {
  const given = (await properties.extraParams?.()) ?? {}
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value ?? '']))
}
