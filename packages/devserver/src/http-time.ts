const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const CLOCK_TIME = /^(\d\d):(\d\d):(\d\d)/

/** Seconds since 1970 as an HTTP date. */
export function formatHttpTime(time: number): string {
  return new Date(time * 1000).toUTCString()
}

/**
 * An HTTP date in seconds since 1970, or -1. The three forms of RFC 9110 are read. As in nginx neither the
 * weekday nor the zone is looked at; `+` for a space, ISO dates and Unix times are not dates.
 */
export function parseHttpTime(value: string): number {
  const comma = value.indexOf(',')
  const parts = comma < 0 ? asctime(value) : withComma(value.slice(comma + 1).trimStart())
  if (parts === null) return -1
  const [day, month, year, time] = parts
  const clock = CLOCK_TIME.exec(time)
  const monthIndex = MONTHS.indexOf(month)
  if (clock === null || monthIndex < 0) return -1
  const [hour, minute, second] = clock.slice(1).map(Number) as [number, number, number]
  if (hour > 23 || minute > 59 || second > 59) return -1
  const ms = Date.UTC(year, monthIndex, day, hour, minute, second)
  return new Date(ms).getUTCDate() === day && ms >= 0 ? ms / 1000 : -1
}

type DateParts = [day: number, month: string, year: number, time: string]

function withComma(rest: string): DateParts | null {
  const rfc822 = /^(\d\d) ([A-Z][a-z]{2}) (\d{4}) +(.*)$/.exec(rest)
  if (rfc822 !== null) return [Number(rfc822[1]), rfc822[2]!, Number(rfc822[3]), rfc822[4]!]
  const rfc850 = /^(\d\d)-([A-Z][a-z]{2})-(\d\d) +(.*)$/.exec(rest)
  if (rfc850 === null) return null
  const short = Number(rfc850[3])
  return [Number(rfc850[1]), rfc850[2]!, short < 70 ? 2000 + short : 1900 + short, rfc850[4]!]
}

function asctime(value: string): DateParts | null {
  const match = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) (\d{4})/.exec(value)
  return match === null ? null : [Number(match[2]), match[1]!, Number(match[4]), match[3]!]
}
