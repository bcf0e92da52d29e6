import { describe, expect, it } from 'vitest'
import { controlMessage } from '../../src/message.js'
import { paddingFor, parsePaddings } from '../../src/padding.js'
import { asComments, splitLines, Template } from '../../src/template.js'

const message = (text: string) => ({ ...controlMessage(7, Buffer.from(text)), tag: 3, eventId: 'e', eventType: 't' })

describe('Template', () => {
  it('fills every token, whatever its case, and none inside the text', () => {
    const template = new Template('~id~|~CHANNEL~|~text~|~size~|~tag~|~time~|~event-id~|~event-type~|~other~', 'plain')
    expect(template.format(message('~id~'), 'c').toString()).toBe(
      '7|c|~id~|4|3|Thu, 01 Jan 1970 00:00:00 GMT|e|t|~other~',
    )
  })

  it('repeats for every line in eventsource, with the size of that line', () => {
    const template = new Template('~size~ ~text~', 'eventsource')
    expect(template.format(message('ab\r\n\r\nc'), '').toString()).toBe('data: 2 ab\ndata: 1 c\n\n')
  })

  it('frames for websocket, in all three lengths', () => {
    const frame = (length: number) => new Template('~text~', 'websocket').format(message('x'.repeat(length)), '')
    expect([...frame(125).subarray(0, 2)]).toEqual([0x81, 125])
    expect([...frame(126).subarray(0, 4)]).toEqual([0x81, 126, 0, 126])
    expect([...frame(65536).subarray(0, 10)]).toEqual([0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0])
  })
})

describe('splitLines', () => {
  it.each([
    ['a\nb', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\n\n', []],
    ['a\rb', ['a\rb']],
    ['a\rb\nc', ['a', 'b', 'c']],
    ['a\nb\0c\nd', ['a', 'b\0c\nd']],
  ])('%j', (text, lines) => expect(splitLines(Buffer.from(text)).map(String)).toEqual(lines))
})

describe('asComments', () => {
  it('makes comments of lines, and leaves comments alone', () => {
    expect(asComments('a\r\nb')).toBe(': a\n: b\n')
    expect(asComments(': a\n')).toBe(': a\n')
  })
})

describe('padding', () => {
  it('reads several agents', () => {
    const paddings = parsePaddings('[T|t]est 1,300,400:MSIE,0,99')
    expect(paddings.map(({ agent, header, message }) => [agent.source, header, message])).toEqual([
      ['[T|t]est 1', 300, 400],
      ['MSIE', 0, 99],
    ])
    expect(() => parsePaddings('MSIE,1')).toThrow('paddingByUserAgent')
  })

  it('fills up to the next hundred', () => {
    expect(paddingFor(100, 100, false)).toBeNull()
    expect(paddingFor(100, 99, false)?.toString()).toBe('\r\n'.repeat(50))
    expect(paddingFor(200, 100, true)?.toString()).toBe(`${':'.repeat(199)}\n`)
  })
})
