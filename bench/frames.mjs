// The frames that push_stream_message_template makes, as nginx sends them: 1,000 messages a second.
const perSecond = 1000
const began = Math.floor(Date.now() / 1000) * 1000 - 3_600_000

const json = (n) =>
  `{"type":"tick","symbol":"ABC","price":${(100 + (n % 977) / 8).toFixed(3)},"size":${n % 5000},"open":${n % 2 === 0}}`

/** What a message's body may be, and how its template puts it into the frame. */
export const variants = {
  /** The default template, a short text. */
  quoted: (n) => `"hello, this is message ${n}"`,
  /** The default template, JSON percent-encoded as publishers must: the template escapes nothing. */
  encoded: (n) => `"${encodeURIComponent(json(n))}"`,
  /** `"text":~text~`, JSON as it is. */
  raw: json,
}

/** The frame of message `n`, from 1. */
export function frame(variant, n) {
  const time = new Date(began + Math.floor((n - 1) / perSecond) * 1000).toUTCString()
  const tag = ((n - 1) % perSecond) + 1
  return `{"id":${n},"channel":"bench","text":${variants[variant](n)},"tag":"${tag}","time":"${time}","eventid":""}`
}

/** The number of the message at a position as requests name it; 0 for none. */
export function numberAt(time, tag) {
  const second = (Date.parse(time ?? '') - began) / 1000
  return second >= 0 ? second * perSecond + Number(/\d+/.exec(tag ?? '')?.[0] ?? 0) : 0
}

/** Position headers of message `n`. */
export const positionHeaders = (n) => ({
  'Last-Modified': new Date(began + Math.floor((n - 1) / perSecond) * 1000).toUTCString(),
  Etag: `W/${((n - 1) % perSecond) + 1}`,
})
