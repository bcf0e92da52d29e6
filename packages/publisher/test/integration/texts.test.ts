import { messageTemplate } from '@pushstream/core'
import { pushStreamServer, type TemplateText } from '@pushstream/publisher'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { missingNginx, startNginx } from '../../../../e2e/support/nginx.js'
import { lacking } from '../../../../e2e/support/programs.js'
import { allModes } from '../../../core/test/integration/support.js'
import { cleanup, makePublisher, record, startServer } from './support.js'

// Whatever is published arrives as it was: through the module's protocol with each of the usual templates, in a real
// client of this repository, in every mode.

const fields = '"tag":"~tag~","time":"~time~","eventid":"~event-id~"'
const templates: readonly [
  name: string,
  text: TemplateText,
  template: string,
  told: boolean,
  modes: readonly (typeof allModes)[number][],
][] = [
  ['quoted', 'quoted', `{"id":~id~,"channel":"~channel~","text":"~text~",${fields}}`, false, allModes],
  [
    'quoted, told to the client',
    'quoted',
    `{"id":~id~,"channel":"~channel~","text":"~text~",${fields}}`,
    true,
    allModes,
  ],
  // Without numbers, what comes between two long-polls is lost.
  ['nothing but a quoted text', 'quoted', '{"text":"~text~"}', true, ['websocket', 'eventsource', 'stream']],
  ['raw', 'raw', `{"id":~id~,"channel":"~channel~","text":~text~,${fields}}`, false, allModes],
  ['nothing but a raw text', 'raw', '{"text":~text~}', true, ['websocket', 'eventsource', 'stream']],
  // Nothing in a stream of texts says where one ends, nor in an answer with several.
  ['the text alone', 'alone', '~text~', true, ['websocket', 'eventsource']],
]

/** What has broken something somewhere. */
const nasty = [
  'he said "hi"', 'a\\nb\\', 'l1\nl2', 'l1\r\n\r\nl2\r\n', 'a\u2028b', 'x ~text~ ~id~ y', 'a%20%22b%22%0A%C3%A9', '100%', '100%25', '%',
  'a\tb', '{"k":"v\\"w","n":[1,2]}', '{\n "k": 1\n}', 'a\u0000b\nc', '   ', '+', 'a+b', '%2B', '%E0%A4', '\ufeffx', '\u0085', 'null', '"', '0', '-1',
  '","tag":"5","time":"x"}', '{"id":-2,"channel":"c","text":"x"}', '}{', '</script>', '\u007f', '😀', 'é', ': -1', 'data: x', '1e999', '[1',
  '{"text":"x"}', '{"text":', '\u00a0x\u00a0', "'", '`', '\\u0041', '\\', '12345678901234567890', '{"a":1.0}', '%25', '%41', '~channel~',
] // biome-ignore format: a list of texts

const text = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  fc
    .array(fc.constantFrom('"', '\\', '%', '%2', '\n', '\r', '~', '{', '}', ',', ':', ' ', 'a', 'é', '\u0000'), {
      minLength: 1,
      maxLength: 12,
    })
    .map((parts) => parts.join('')),
)

/** Read back from JSON, since that is what it goes through. */
const object = fc
  .oneof(fc.object({ maxDepth: 3 }), fc.array(fc.jsonValue(), { minLength: 1 }))
  .map((value) => JSON.parse(JSON.stringify(value)) as object)

/** Each starts with a template, and gives its address. */
const servers: readonly [name: string, missing: string | undefined, start: (template: string) => Promise<string>][] = [
  [
    'the development server',
    undefined,
    async (template) => (await startServer({ settings: { messageTemplate: template } })).url,
  ],
  [
    'the module in a live nginx',
    lacking(missingNginx('push-stream')),
    async (template) => {
      const nginx = await startNginx('push-stream', { values: { template } })
      cleanup(async () => {
        expect(nginx.crashes).toEqual([])
        await nginx.close()
      })
      return nginx.url
    },
  ],
]

for (const [server, missing, start] of servers)
  for (const [name, kind, template, told, modes] of templates) {
    test.skipIf(missing !== undefined)(
      `${server}, a template with ${name}: any text and any object arrives as it is`,
      async () => {
        const url = await start(template)
        const publisher = makePublisher({ url, server: pushStreamServer({ text: kind }) })
        const clients = modes.map((mode) => {
          const read = told && { messageTemplate: messageTemplate(template) }
          const client = record({ url, modes: [mode], timeout: 30_000, ...read })
          client.stream.addChannel('c').connect()
          return { mode, client }
        })
        for (const { client } of clients) await client.until(() => client.stream.status.state === 'open')
        // Without numbers nothing can be fetched again: a message before all listen would be missed.
        const subscribed = async () => ((await publisher.stats('c'))?.subscribers ?? 0) >= modes.length
        await expect.poll(subscribed, { interval: 20, timeout: 10_000 }).toBe(true)
        const samples: (string | object)[] = [
          ...nasty,
          ...fc.sample(text, { seed: 5, numRuns: 250 }),
          ...fc.sample(object, { seed: 6, numRuns: 80 }),
        ]
        const one = async (data: string | object) => {
          const before = clients.map(({ client }) => client.messages.length)
          await publisher.publish('c', data)
          await Promise.all(
            clients.map(({ client }, i) => client.until(() => client.messages.length > (before[i] as number))),
          )
          for (const { mode, client } of clients) {
            const message = client.messages.at(-1)
            const came = typeof data === 'string' ? message?.text : message?.data
            expect(came, `${mode}: ${JSON.stringify(data)}`).toEqual(data)
          }
        }
        for (const data of samples) await one(data)
        for (const { mode, client } of clients) {
          expect(client.messages.length, mode).toBe(samples.length)
          // The first message of a template without numbers is reported.
          const others = client.errors.filter(({ symptom }) => symptom !== 'template')
          expect(others, mode).toEqual([])
        }
      },
    )
  }
