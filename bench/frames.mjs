// The frames of push_stream_message_template, as nginx sends them, with 1,000 messages per second.
const perSecond = 1000
const began = Math.floor(Date.now() / 1000) * 1000 - 3_600_000

const json = (n) =>
  `{"type":"tick","symbol":"ABC","price":${(100 + (n % 977) / 8).toFixed(3)},"size":${n % 5000},"open":${n % 2 === 0}}`

/** The kinds of bodies, and how the template puts them into a frame. */
export const variants = {
  /** The default template, with a short text. */
  quoted: (n) => `"hello, this is message ${n}"`,
  /** The default template, with percent-encoded JSON, because the template does not escape it. */
  encoded: (n) => `"${encodeURIComponent(json(n))}"`,
  /** `"text":~text~`, with JSON as it is. */
  raw: json,
}

/** The frame of message `n`, from 1. If there are several channels or types, they take turns. */
export function frame(variant, n, channels = 1, types = 1) {
  const time = new Date(began + Math.floor((n - 1) / perSecond) * 1000).toUTCString()
  const tag = ((n - 1) % perSecond) + 1
  const id = Math.ceil(n / channels)
  const channel = channels === 1 ? 'bench' : `bench${(n - 1) % channels}`
  const text = types === 1 ? variants[variant](n) : `{"type":"type${n % types}","size":${n}}`
  return `{"id":${id},"channel":"${channel}","text":${text},"tag":"${tag}","time":"${time}","eventid":""}`
}

/** The same bodies, as JSON, in the frames that other clients get from their servers. */
export const wrapped = {
  'pusher-js': (body) => JSON.stringify({ event: 'message', channel: 'bench', data: body }),
  centrifuge: (body, n) => `{"push":{"channel":"bench","pub":{"data":${body},"offset":${n}}}}`,
  'socket.io-client': (body) => `42["message",${body}]`,
  '@anycable/web': (body, n) =>
    `{"identifier":"{\\"channel\\":\\"BenchChannel\\"}","message":${body},"stream_id":"s","epoch":"e","offset":${n}}`,
}

/** The number of the message at the position of a request, or 0 without one. */
export function numberAt(time, tag) {
  const second = (Date.parse(time ?? '') - began) / 1000
  return second >= 0 ? second * perSecond + Number(/\d+/.exec(tag ?? '')?.[0] ?? 0) : 0
}

/** The position headers of message `n`. */
export const positionHeaders = (n) => ({
  'Last-Modified': new Date(began + Math.floor((n - 1) / perSecond) * 1000).toUTCString(),
  Etag: `W/${((n - 1) % perSecond) + 1}`,
})
