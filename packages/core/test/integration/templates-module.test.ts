import { request } from 'node:http'
import { messageTemplate } from '@pushstream/core'
import { describe, expect, test } from 'vitest'
import { missing, startModule } from './push-stream-support.js'
import { allModes, came, openClient } from './support.js'

/** nginx with this message template; without one, the module's own default (`~text~`). */
const started = (template?: string) =>
  startModule({
    adjust: (config) =>
      config.replace(
        /push_stream_message_template.*/,
        template === undefined ? '' : `push_stream_message_template '${template}';`,
      ),
  })

function publishWith(url: string, channel: string, text: string, headers: Record<string, string> = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/pub?id=${encodeURIComponent(channel)}`
    const posting = request(`${url}${path}`, { method: 'POST', agent: false, headers }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve())
    })
    posting.once('error', reject)
    posting.end(text)
  })
}

describe.skipIf(missing !== undefined)('the push stream module', () => {
  test.each(allModes)('case 3: %s, no template, several channels → every text, by a connection each', async (mode) => {
    const { nginx, publish } = await started()
    for (const names of [['a'], ['b', 'c', 'd']]) {
      const { recording, dead } = await openClient({ url: nginx.url, modes: [mode] }, names)
      let count = 0
      for (const text of ['hello', '{"n":1}', '{"text":"x","user":"y"}', '42']) {
        for (const name of names) {
          await publish(name, text)
          count++
          await recording.until(() => recording.messages.length === count)
        }
      }
      expect(came(recording)).toEqual(
        ['hello', '{"n":1}', '{"text":"x","user":"y"}', '42'].flatMap((text) => names.map((name) => `${name} ${text}`)),
      )
      expect(recording.stream.status).toMatchObject({ resume: 'none', gaps: 'none' })
      expect(dead).toEqual([])
      recording.stream.close()
    }
  })

  test('case 5: long-polling, texts with nothing between them → each is itself', async () => {
    const { proxy, publish } = await started()
    proxy.delay(30)
    const options = { url: proxy.url, modes: ['longpolling'], messageTemplate: messageTemplate('~text~') } as const
    const { recording, dead } = await openClient(options, ['a'])
    const sent: string[] = []
    for (const texts of [
      ['{"a":1}', 'x', 'y'],
      ['x', 'x', 'xx'],
      ['1', '2', '3', '4', '5', '6'],
    ]) {
      for (const text of texts) await publish('a', text)
      sent.push(...texts)
      await recording.until(() => recording.messages.length >= sent.length)
    }
    expect(recording.messages.map(({ text }) => text)).toEqual(sent)
    expect(dead).toEqual([])
  })

  test.each(allModes)('case 6, 8: %s, nested template with the type → read', async (mode) => {
    const template = '{"meta":{"id":~id~,"channel":"~channel~","kind":"~event-type~"},"text":~text~}'
    const { nginx } = await started(template)
    const options = { url: nginx.url, modes: [mode], messageTemplate: messageTemplate(template) }
    const { recording } = await openClient(options, ['a', 'b'])
    await publishWith(nginx.url, 'a', '{"n":1}', { 'Event-Type': 'price' })
    await publishWith(nginx.url, 'b', 'plain', { 'Event-Type': 'note' })
    await recording.until(() => recording.messages.length === 2)
    expect(recording.messages.map(({ channel, text, type }) => [channel, text, type]).sort()).toEqual([
      ['a', '{"n":1}', 'price'],
      ['b', 'plain', 'note'],
    ])
  })

  test('case 7: a stream whose template ends with the text → each is there before anything follows', async () => {
    const template = `<script>p(~id~,"~channel~","~text~");</script>`
    const { nginx, publish } = await started(template)
    const options = { url: nginx.url, modes: ['stream'], messageTemplate: messageTemplate(template) } as const
    const { recording } = await openClient(options, ['a'])
    for (let n = 0; n < 3; n++) {
      await publish('a', `${n}`)
      await recording.until(() => recording.messages.length === n + 1, 1500)
    }
    expect(came(recording)).toEqual(['a 0', 'a 1', 'a 2'])
  })

  test.each(allModes)('case 9: %s, names that JSON finds escapes in → delivered as added', async (mode) => {
    const names = ['CORP\\bob', 'CORP\\alice', 'a\\u0041', 'a"b', 'a\\"b', 'tab\\tx', 'back\\\\slash']
    const { nginx } = await startModule()
    const { recording } = await openClient({ url: nginx.url, modes: [mode] }, names)
    for (const [i, name] of names.entries()) await publishWith(nginx.url, name, `${i}`)
    await recording.until(() => recording.messages.length === names.length)
    expect(came(recording).sort()).toEqual(names.map((name, i) => `${name} ${i}`).sort())
  })

  test.each(allModes)('case 20: %s, a line end in the template → not in the text', async (mode) => {
    const { nginx, publish } = await started('~text~\\n')
    const options = { url: nginx.url, modes: [mode], messageTemplate: messageTemplate('~text~\n') }
    const { recording } = await openClient(options, ['a'])
    await publish('a', 'x')
    await recording.until(() => recording.messages.length === 1)
    expect(came(recording)).toEqual(['a x'])
  })
})
