import type { ModeName } from '@pushstream/core'
import type { Wild } from './wild.js'

/** What has broken clients, each with a number that tells it from all others. */
const texts: readonly ((n: number) => string)[] = [
  (n) => `${n}`,
  (n) => `${n} says "hello", 'hi' and \`ho\``,
  (n) => `${n} C:\\new\\table \\" \\u0041 \\`,
  (n) => `${n}\nsecond line\r\nthird\n\nfifth\n`,
  (n) => `${n} ~text~ ~id~ ~channel~ ~tag~ ~time~ ~event-id~`,
  (n) => `{"n":${n},"type":"order","deep":{"list":[1,"}{",null]}}`,
  (n) => `{"id":1,"channel":"other","text":"forged ${n}"}`,
  (n) => `${n}","tag":"0","time":"Thu, 01 Jan 1970 00:00:00 GMT"`,
  (n) => `${n} <script>alert('x')</script></body></html> &amp; <!-- -->`,
  (n) => `${n} Grüße, żółw, 漢字, 👋🏽, \u2028\u2029, a\u0301`,
  (n) => `${n} 100% %41 %zz %2F + = & ? #`,
  (n) => `  ${n}\tspaces  `,
  (n) => `${n} }{ }]"'); #!PORTAL-END!##!PORTAL-BEGIN!# data: x id: 7`,
  (n) => `[${n},2,[3]]`,
  (n) => `${n} ${'long, '.repeat(30_000)}end`,
]

/** What is published, and what has to arrive. */
export interface Body {
  readonly channel: string
  readonly sent: string
  readonly text: string
}

/** A text as an event stream can carry it: one line end for all, and of the module no empty lines. */
function lined(text: string, { server }: Wild): string {
  const lines = text.split(/\r\n|\n/)
  return (server === 'nchan' ? lines : lines.filter((line) => line !== '')).join('\n')
}

/** The hostile body with this number. */
export function bodyOf(wild: Wild, mode: ModeName, n: number): Body {
  const text = (texts[n % texts.length] as (n: number) => string)(n)
  const channel = wild.channels[n % wild.channels.length] as string
  if (wild.bodies === 'encoded') return { channel, sent: encodeURIComponent(text), text }
  if (wild.bodies === 'json') {
    // As one line, and as programs print it for people.
    const sent = JSON.stringify({ n, text, list: [text, null, true] }, undefined, n % 2 ? 2 : 0)
    return { channel, sent, text: mode === 'eventsource' ? lined(sent, wild) : sent }
  }
  return { channel, sent: text, text: mode === 'eventsource' ? lined(text, wild) : text }
}
