import { allModes, expect, faults, publishAtRate, type test as Test } from './test.js'

// Tests that every push server of this protocol must pass.

/** The template whose bodies are JSON and unquoted. */
export const rawTemplate =
  '{"id":~id~,"channel":"~channel~","text":~text~,"tag":"~tag~","time":"~time~","eventid":"~event-id~"}'

export function deliversThroughCuts(test: typeof Test): void {
  for (const mode of allModes) {
    test(`${mode}: 200 messages on two channels while connections are cut, each once and in order`, async ({
      tab,
      place,
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
      await publishAtRate(place.push, ['a', 'b'], 200, 80, (number) => {
        if (number % 50 === 25) place.proxy.cut()
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
}

/** The server must have `rawTemplate`. */
export function keepsRawBodies(test: typeof Test): void {
  for (const mode of allModes) {
    test(`${mode}: objects, arrays, numbers, and their processors`, { tag: '@server' }, async ({ tab, place }) => {
      await tab.open({ options: { modes: [mode] }, channels: { a: 0 }, processors: [['a', 'answer']] })
      const bodies = ['{"type":"answer","value":42,"deep":{"list":[1,"{}",null]}}', '[1,2,[3]]', '17', '"text"', 'true']
      for (const body of bodies) await place.push.publish('a', body)
      const { messages, routed, deadletters } = await tab.received(bodies.length)
      expect(deadletters).toEqual([])
      expect(messages.map(({ data }) => data)).toEqual(bodies.map((body) => JSON.parse(body)))
      expect(routed).toEqual([`a/answer ${bodies[0]}`])
    })
  }
}

export function keepsTexts(test: typeof Test): void {
  for (const mode of allModes) {
    test(`${mode}: emoji, quotes and line ends, 5 MB, event ids`, async ({ tab, place }) => {
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
        await place.push.publish('a', encodeURIComponent(text), { eventId: `e${n}`, eventType: `type-${n}` })
      }
      await place.push.publish('kanal ü', encodeURIComponent('another channel'))
      const first = await tab.received(texts.length + 1)
      const onA = first.messages.filter(({ channel }) => channel === 'a')
      expect(onA.map(({ text }) => text)).toEqual(texts)
      expect(onA.map(({ eventId }) => eventId)).toEqual(texts.map((_, n) => `e${n}`))
      // Only eventsource's frames contain the type.
      if (mode === 'eventsource') expect(onA[0]!.type).toBe('type-0')
      expect(onA[3]!.type).toBe('x')
      expect(first.messages.find(({ channel }) => channel === 'kanal ü')?.text).toBe('another channel')

      const large = 5 * 1024 * 1024
      await place.push.publish('a', `BEGINNING${'x'.repeat(large - 16)}THE END`)
      await place.push.publish('a', 'after it')
      const { messages, all, deadletters } = await tab.received(texts.length + 3, 30_000)
      expect(messages.slice(-2).map(({ text }) => text)).toEqual([`BEGINNIN…${large}…xTHE END`, 'after it'])
      expect(faults(all)).toEqual([])
      expect(deadletters).toEqual([])
    })
  }
}

export function survivesTheServer(test: typeof Test): void {
  for (const mode of allModes) {
    const goesOn = `${mode}: the server reloads: all goes on; it restarts: a gap says so`
    test(goesOn, { tag: '@server' }, async ({ tab, place: { push } }) => {
      await tab.open({ options: { modes: [mode] }, channels: { a: 0 } })
      for (let n = 0; n < 5; n++) await push.publish('a', 'before')
      await tab.received(5)
      await push.reload()
      for (let n = 0; n < 5; n++) await push.publish('a', 'after the reload')
      const second = Math.floor(Date.now() / 1000)
      const reloaded = await tab.received(10)
      expect(faults(reloaded.all)).toEqual([])
      expect(reloaded.gaps).toEqual([])

      await tab.until('open', ({ status }) => status.state === 'open')
      // Times are whole seconds: a server must not restart and publish within the second of its last message.
      await expect.poll(() => Math.floor(Date.now() / 1000), { intervals: [50] }).toBeGreaterThan(second)
      await push.restart()
      for (let n = 0; n < 3; n++) await push.publish('a', 'after the restart')
      const { messages, gaps, all } = await tab.received(13)
      expect(gaps).toEqual([{ channel: 'a', first: 11, last: 'unknown', reason: 'restart' }])
      expect(messages.slice(10).map(({ id }) => id)).toEqual([1, 2, 3])
      expect(faults(all)).toEqual([])
    })
  }
}

export function survivesPageReloads(test: typeof Test): void {
  for (const mode of allModes) {
    test(`${mode}: the page is reloaded while messages are published, and gets what it asks for`, async ({
      tab,
      place,
    }) => {
      // The server's times are whole seconds, so earlier messages must be seconds older.
      const since = Date.now() - 2000
      await tab.load({
        options: { modes: [mode], messagesPublishedAfter: since },
        channels: { a: 0 },
      })
      const publishing = publishAtRate(place.push, ['a'], 150, 60)
      for (const count of [20, 60]) {
        await tab.received(count)
        await tab.page.reload()
      }
      await publishing
      const { all, gaps } = await tab.received(150)
      expect(faults(all)).toEqual([])
      expect(gaps).toEqual([])
      expect(all).toHaveLength(150)
    })
  }

  test('a backtrack of 5 after a page reload: five stored ones, then all that follow', async ({
    tab,
    place: { push },
  }) => {
    const start = { channels: { a: 5 } }
    for (const mode of allModes) {
      const before = await push.publish('a', 'before')
      for (let n = 0; n < 6; n++) await push.publish('a', 'before')
      await tab.load({ ...start, options: { modes: [mode] } })
      await tab.until('open', ({ status }) => status.state === 'open')
      for (let n = 0; n < 3; n++) await push.publish('a', 'after')
      const { messages } = await tab.received(8)
      expect(messages.map(({ id }) => id)).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((n) => before + n))
    }
  })
}
