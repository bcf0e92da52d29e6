import type { Channel } from './channel.js'

/** The shapes statistics come in. */
type Format = 'plain' | 'json' | 'yaml' | 'xml'

interface Negotiated {
  format: Format
  contentType: string
}

const KNOWN: Array<[subtype: string, Negotiated]> = [
  ['plain', { format: 'plain', contentType: 'text/plain' }],
  ['json', { format: 'json', contentType: 'application/json' }],
  ['yaml', { format: 'yaml', contentType: 'application/yaml' }],
  ['xml', { format: 'xml', contentType: 'application/xml' }],
  ['x-json', { format: 'json', contentType: 'text/x-json' }],
  ['x-yaml', { format: 'yaml', contentType: 'text/x-yaml' }],
]

/** Picks by `Accept`: the first known subtype that follows a slash, else JSON. */
export function negotiate(accept: string | undefined): Negotiated {
  for (const part of (accept ?? '').split('/').slice(1)) {
    const known = KNOWN.find(([subtype]) => part.startsWith(subtype))
    if (known !== undefined) return known[1]
  }
  return KNOWN[1]![1]
}

/** The server's own numbers, at the head of every list. */
export interface ServerFacts {
  hostname: string
  /** Seconds since 1970. */
  now: number
  channels: number
  wildcardChannels: number
  /** Seconds. */
  uptime: number
}

/** The numbers of the whole server. */
export interface Summary extends ServerFacts {
  published: number
  stored: number
  subscribers: number
  pid: number
}

interface ChannelInfo {
  channel: string
  published_messages: number
  stored_messages: number
  subscribers: number
}

function info(channel: Channel): ChannelInfo {
  return {
    channel: channel.id,
    published_messages: channel.lastId,
    stored_messages: channel.messages.length,
    subscribers: channel.subscriptions.size,
  }
}

/** One channel alone. */
export function describeChannel(format: Format, channel: Channel): Buffer {
  const item = formatChannel(format, info(channel))
  return bytes(format === 'xml' ? `${XML}${item}\r\n` : `${item}\r\n`)
}

/** A list of channels. */
export function describeChannels(format: Format, channels: Channel[], facts: ServerFacts): Buffer {
  const items = channels.map((channel) => formatChannel(format, info(channel)))
  const fields = serverFields(facts)
  switch (format) {
    case 'json': {
      const list = items
        .map((item) => `${item}\r\n`)
        .join(',')
        .replace(/\r\n,/g, ',\r\n')
      return bytes(`{${fields.map(jsonField).join(', ')}, "infos": [\r\n${list}]}\r\n`)
    }
    case 'plain':
      return bytes(`${[...fields, ['infos', ''] as const].map(plainField).join(', ')}\r\n${items.join(',\r\n')}\r\n`)
    case 'yaml': {
      const list = items.map((item) => ` -\r\n${item}`).join('\r\n')
      return bytes(`${fields.map((field) => `${plainField(field)}\r\n`).join('')}infos: \r\n${list}\r\n`)
    }
    case 'xml':
      return bytes(
        `${XML}<root>\r\n${fields.map(xmlField).join('')}  <infos>\r\n${items.join('')}  </infos>\r\n</root>\r\n`,
      )
  }
}

/** The whole server, without channels. */
export function describeServer(format: Format, summary: Summary): Buffer {
  const fields: Field[] = [
    ...serverFields(summary).slice(0, 4),
    ['published_messages', summary.published],
    ['stored_messages', summary.stored],
    // Memory that nginx has yet to free; here there is none.
    ['messages_in_trash', 0],
    ['channels_in_delete', 0],
    ['channels_in_trash', 0],
    ['subscribers', summary.subscribers],
    ['uptime', summary.uptime],
  ]
  const { pid, subscribers, uptime } = summary
  switch (format) {
    case 'json': {
      const worker = `{"pid": "${pid}", "subscribers": ${subscribers}, "uptime": ${uptime}}`
      return bytes(`{${fields.map(jsonField).join(', ')}, "by_worker": [\r\n${worker}\r\n]}\r\n`)
    }
    case 'plain': {
      const worker = `  pid: ${pid}\r\n  subscribers: ${subscribers}\r\n  uptime: ${uptime}`
      return bytes(`${fields.map(plainField).join('\r\n')}\r\nby_worker:\r\n${worker}\r\n`)
    }
    case 'yaml': {
      const worker = `   -\r\n    pid: ${pid}\r\n    subscribers: ${subscribers}\r\n    uptime: ${uptime}`
      return bytes(`${fields.map((field) => `  ${plainField(field)}\r\n`).join('')}  by_worker:\r\n${worker}\r\n`)
    }
    case 'xml': {
      const worker = [['pid', pid] as const, ['subscribers', subscribers] as const, ['uptime', uptime] as const]
      const inner = `<worker>\r\n${worker.map(xmlField).join('')}</worker>\r\n`
      return bytes(`${XML}<infos>\r\n${fields.map(xmlField).join('')}  <by_worker>${inner}</by_worker>\r\n</infos>\r\n`)
    }
  }
}

const XML = '<?xml version="1.0" encoding="UTF-8" ?>\r\n'

type Field = readonly [name: string, value: string | number]

function serverFields(facts: ServerFacts): Field[] {
  return [
    ['hostname', facts.hostname],
    ['time', new Date(facts.now * 1000).toISOString().slice(0, 19)],
    ['channels', facts.channels],
    ['wildcard_channels', facts.wildcardChannels],
    ['uptime', facts.uptime],
  ]
}

function formatChannel(format: Format, channel: ChannelInfo): string {
  const fields = Object.entries(channel) as Field[]
  switch (format) {
    case 'json':
      return `{${fields.map(jsonField).join(', ')}}`
    case 'plain':
      return fields
        .map(([name, value]) => plainField([name === 'subscribers' ? 'active_subscribers' : name, value]))
        .join('\r\n')
    case 'yaml':
      return fields.map((field) => `  ${plainField(field)}`).join('\r\n')
    case 'xml':
      return `<channel>\r\n${fields.map(([name, value]) => xmlField([name === 'channel' ? 'name' : name, value])).join('')}</channel>\r\n`
  }
}

/** The module escapes nothing here either. */
function jsonField([name, value]: Field): string {
  return typeof value === 'number' ? `"${name}": ${value}` : `"${name}": "${value}"`
}

function plainField([name, value]: Field): string {
  return `${name}: ${value}`
}

function xmlField([name, value]: Field): string {
  return `  <${name}>${value}</${name}>\r\n`
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
