import { allModes, expect, faults, publishAtRate, test } from './support/test.js'

for (const mode of allModes) {
  test(`${mode}: 200 messages on two channels while connections are cut, each once and in order`, async ({
    tab,
    site,
  }) => {
    await tab.open({
      options: { modes: [mode] },
      channels: { a: 0, b: 0 },
      processors: [
        ['a', 'number'],
        ['*', '*'],
        ['b', 'other'],
      ],
    })
    await publishAtRate(site.server, ['a', 'b'], 200, 80, (number) => {
      if (number % 50 === 25) site.proxy.cut()
    })
    const { all, messages, gaps, routed, deadletters } = await tab.received(200)
    expect(faults(all)).toEqual([])
    expect(gaps).toEqual([])
    expect(deadletters).toEqual([])
    expect(messages).toHaveLength(200)
    expect(new Set(messages.map(({ data }) => (data as { n: number }).n)).size).toBe(200)
    expect(messages.every((message) => message.type === 'number')).toBe(true)
    expect(routed.filter((entry) => entry.startsWith('a/number'))).toEqual(
      Array.from({ length: 100 }, (_, i) => `a/number {"type":"number","n":${i * 2}}`),
    )
    expect(routed.filter((entry) => entry.startsWith('*/*'))).toHaveLength(200)
    expect(routed).toHaveLength(300)
  })
}

const rawTemplate =
  '{"id":~id~,"channel":"~channel~","text":~text~,"tag":"~tag~","time":"~time~","eventid":"~event-id~"}'

test.describe('with bodies as raw JSON', () => {
  test.use({ serverOptions: { settings: { messageTemplate: rawTemplate } } })
  for (const mode of allModes) {
    test(`${mode}: objects, arrays, numbers, and their processors`, async ({ tab, site }) => {
      await tab.open({ options: { modes: [mode] }, channels: { a: 0 }, processors: [['a', 'answer']] })
      const bodies = ['{"type":"answer","value":42,"deep":{"list":[1,"{}",null]}}', '[1,2,[3]]', '17', '"text"', 'true']
      for (const body of bodies) site.server.publish('a', body)
      const { messages, routed, deadletters } = await tab.received(bodies.length)
      expect(deadletters).toEqual([])
      expect(messages.map(({ data }) => data)).toEqual(bodies.map((body) => JSON.parse(body)))
      expect(routed).toEqual([`a/answer ${bodies[0]}`])
    })
  }
})

for (const mode of allModes) {
  test(`${mode}: emoji, quotes and line ends, 5 MB, event ids`, async ({ tab, site }) => {
    await tab.open({ options: { modes: [mode] }, channels: { a: 0, 'kanal ü': 0 } })
    const texts = [
      '👋🏽 Grüße, 漢字 \u{1f600}',
      'say "hi" \\ and \\n',
      '%41 + & = ?',
      '{"type":"x","text":"a \\"b\\""}',
      ' ',
      '</script>',
    ]
    for (const [n, text] of texts.entries()) {
      site.server.publish('a', encodeURIComponent(text), { eventId: `e${n}`, eventType: `type-${n}` })
    }
    site.server.publish('kanal ü', encodeURIComponent('another channel'))
    const first = await tab.received(texts.length + 1)
    const onA = first.messages.filter(({ channel }) => channel === 'a')
    expect(onA.map(({ text }) => text)).toEqual(texts)
    expect(onA.map(({ eventId }) => eventId)).toEqual(texts.map((_, n) => `e${n}`))
    // Only in the frames of eventsource is there a place for the type.
    if (mode === 'eventsource') expect(onA[0]!.type).toBe('type-0')
    expect(onA[3]!.type).toBe('x')
    expect(first.messages.find(({ channel }) => channel === 'kanal ü')?.text).toBe('another channel')

    const large = 5 * 1024 * 1024
    site.server.publish('a', `BEGINNING${'x'.repeat(large - 16)}THE END`)
    site.server.publish('a', 'after it')
    const { messages, all, deadletters } = await tab.received(texts.length + 3, 30_000)
    expect(messages.slice(-2).map(({ text }) => text)).toEqual([`BEGINNIN…${large}…xTHE END`, 'after it'])
    expect(faults(all)).toEqual([])
    expect(deadletters).toEqual([])
  })
}

test('the native EventSource: named events pass it by, and come by the audit, in their place', async ({
  tab,
  site,
}) => {
  await tab.open({
    options: { modes: ['eventsource'], eventSource: 'native', pingtimeout: 1500 },
    channels: { a: 0 },
  })
  site.server.publish('a', 'one')
  site.server.publish('a', 'named', { eventType: 'price' })
  site.server.publish('a', 'three')
  await tab.received(3)
  site.proxy.cut()
  site.server.publish('a', 'four')
  const { all, messages } = await tab.received(4)
  expect(faults(all)).toEqual([])
  expect(messages.map(({ text }) => text)).toEqual(['one', 'named', 'three', 'four'])
})
