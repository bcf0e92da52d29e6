import '../support/dom.js'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PushStreamDevtoolsElement } from '../../src/element.js'
import * as development from '../../src/mount.js'
import * as production from '../../src/mount.production.js'
import { createClient, start, type TestClient } from '../support/client.js'
import { framesDue, nextFrame } from '../support/dom.js'

let one: TestClient
let remove: () => void

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  one = createClient({ params: { token: 'secret' } })
  one.stream.connect()
  await one.accept()
  remove = development.mountDevtools(one.stream)
})

afterEach(() => {
  remove()
  one.stream.close()
  expect(vi.getTimerCount()).toBe(0)
  expect(framesDue()).toBe(0)
  expect(document.body.children).toHaveLength(0)
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const element = () => document.querySelector('pushstream-devtools') as PushStreamDevtoolsElement
const find = <T extends Element = HTMLElement>(id: string) =>
  element().shadowRoot?.querySelector<T>(`[data-testid="devtools-${id}"]`) as T
const all = (selector: string) => [...(element().shadowRoot?.querySelectorAll<HTMLElement>(selector) ?? [])]
const texts = () => all('[data-testid="devtools-log"] tbody .text').map(({ textContent }) => textContent)
const press = (target: Element, key: string) =>
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, composed: true }))
function open(): void {
  find('open').click()
  nextFrame()
}
function type(text: string): void {
  find<HTMLInputElement>('log-search').value = text
  find('log-search').dispatchEvent(new Event('input'))
}
function choose(id: string, value: string): void {
  find<HTMLSelectElement>(id).value = value
  find(id).dispatchEvent(new Event('change'))
}

describe('closed', () => {
  test('mounted on a client that is open → a button that says so, and no timer', () => {
    nextFrame()
    expect(find('open').textContent).toBe('PushStreamopen')
    expect(all('.panel')[0]!.hidden).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('messages → nothing is drawn but the button, and all are there when it opens', async () => {
    await one.send([1, 'one'], [2, 'two'])
    nextFrame()
    expect(texts()).toEqual([])
    open()
    expect(texts()).toEqual(['two', 'one'])
  })
})

describe('open', () => {
  beforeEach(open)

  test('many messages → one frame draws them, newest first', async () => {
    await one.send([1, 'one'])
    await one.send([2, 'two'], [3, 'three'])
    expect(texts()).toEqual([])
    expect(framesDue()).toBe(1)
    nextFrame()
    expect(texts()).toEqual(['three', 'two', 'one'])
    expect(find('counter-received').textContent).toBe('3')
  })

  test('1,200 messages → at most 200 rows', async () => {
    for (let n = 0; n < 4; n++) {
      await one.send(...Array.from({ length: 300 }, (_, i) => [n * 300 + i + 1, `m${n * 300 + i + 1}`] as const))
      nextFrame()
    }
    expect(texts()).toHaveLength(200)
    expect(texts()[0]).toBe('m1200')
    expect(find('counter-received').textContent).toBe('1,200')
  })

  test('search → what matches, also of what comes later', async () => {
    await one.send([1, 'apple'], [2, 'pear'])
    nextFrame()
    type('APP')
    expect(texts()).toEqual(['apple'])
    await one.send([3, 'pineapple'], [4, 'plum'])
    nextFrame()
    expect(texts()).toEqual(['pineapple', 'apple'])
    type('nothing like that')
    expect(all('.log .none')[0]).toMatchObject({ hidden: false, textContent: 'Nothing matches.' })
    type('')
    expect(texts()).toHaveLength(4)
  })

  test('filters → by channel and by kind', async () => {
    one.stream.addChannel('b')
    await one.send([1, 'one'])
    one.server.open[0]!.cut()
    await one.clock.advance(10)
    nextFrame()
    expect([...find<HTMLSelectElement>('log-filter').options].map(({ value }) => value)).toEqual(['', 'a', 'b'])
    choose('log-kind', 'message')
    expect(texts()).toEqual(['one'])
    choose('log-kind', 'other')
    expect(texts()).toEqual([expect.stringContaining('eventsource lost')])
    choose('log-kind', '')
    choose('log-filter', 'b')
    expect(texts()).toEqual([])
  })

  test('followed → the newest is at the bottom', async () => {
    choose('log-order', 'last')
    await one.send([1, 'one'], [2, 'two'])
    nextFrame()
    expect(texts()).toEqual(['one', 'two'])
  })

  test('paused → nothing is added until it goes on', async () => {
    find('log-pause').click()
    await one.send([1, 'one'])
    nextFrame()
    expect(texts()).toEqual([])
    find('log-pause').click()
    expect(texts()).toEqual(['one'])
  })

  test('cleared → empty, and what comes later is shown', async () => {
    await one.send([1, 'one'])
    nextFrame()
    find('log-clear').click()
    expect(texts()).toEqual([])
    await one.send([2, 'two'])
    nextFrame()
    expect(texts()).toEqual(['two'])
  })

  test('markup in a message → shown as text', async () => {
    await one.send([1, '<img src=x onerror=alert(1)>'])
    nextFrame()
    expect(texts()).toEqual(['<img src=x onerror=alert(1)>'])
    expect(all('img')).toEqual([])
  })

  test('cut → the timeline lists why, and every step on demand', async () => {
    find('cut').click()
    expect(find('result').textContent).toBe('The connection is cut.')
    await one.accept()
    find('tab-timeline').click()
    nextFrame()
    const rows = () => all('[data-testid="devtools-events"] tbody tr').map(({ textContent }) => textContent?.slice(8))
    expect(rows()).toEqual([
      'resumedResumed over eventsource',
      'losteventsource lost (cut by hand): channels 1, messages 0; backoff',
    ])
    find<HTMLInputElement>('every-step').checked = true
    find('every-step').dispatchEvent(new Event('change'))
    expect(rows().length).toBeGreaterThan(5)
  })

  test('cut on a machine that is held back between the error and the loss → one line for both', async () => {
    remove()
    let now = start
    vi.spyOn(Date, 'now').mockImplementation(() => (now += 60))
    remove = development.mountDevtools(one.stream, { open: true })
    find('cut').click()
    await one.accept()
    find('tab-timeline').click()
    nextFrame()
    const rows = all('[data-testid="devtools-events"] tbody tr').map(({ dataset }) => dataset.kind)
    expect(rows).toEqual(['resumed', 'lost'])
  })

  test('without a connection, or with a single mode → the buttons say so', () => {
    find('fall-back').click()
    expect(find('result').textContent).toBe('There is no connection, or no other mode.')
    one.stream.disconnect()
    find('cut').click()
    expect(find('result').textContent).toBe('There is no connection to cut.')
  })

  test('tabs → by arrows, Home and End; one of them is in the order of Tab', () => {
    const selected = () => all('[role=tab][aria-selected=true]').map(({ textContent }) => textContent)
    const inOrder = () => all('[role=tab][tabindex="0"]').map(({ textContent }) => textContent)
    const active = () => element().shadowRoot?.activeElement?.textContent
    expect(active()).toBe('Messages')
    for (const [key, title] of [
      ['ArrowRight', 'Timeline'],
      ['End', 'Lateness'],
      ['ArrowRight', 'Messages'],
      ['ArrowLeft', 'Lateness'],
      ['Home', 'Messages'],
    ] as const) {
      press(all('[role=tab][tabindex="0"]')[0]!, key)
      expect([selected(), inOrder(), active()]).toEqual([[title], [title], title])
      expect(all('[role=tabpanel]').filter(({ hidden }) => !hidden)).toHaveLength(1)
    }
  })

  test('a tab that is chosen → drawn at once, so that a screen reader finds no picture without words', async () => {
    open()
    find('tab-lateness').click()
    expect(find('lateness').querySelector('title')?.textContent).toBe('Lateness: nothing measured yet')
    press(find('tab-lateness'), 'ArrowLeft')
    expect(all('#panel-requests')[0]!.textContent).toContain('/ev/a.b1')
  })

  test('Escape → closed, with the focus on the button; in a search that is not empty → not', () => {
    find('log-search').focus()
    type('text')
    press(find('log-search'), 'Escape')
    expect(element().open).toBe(true)
    type('')
    press(find('log-search'), 'Escape')
    expect(element().open).toBe(false)
    expect(element().shadowRoot?.activeElement).toBe(find('open'))
    expect(vi.getTimerCount()).toBe(0)
  })

  test('the channels and requests → how far each is known, and no secret', async () => {
    await one.send([1, 'one'])
    find('tab-channels').click()
    nextFrame()
    expect(all('[data-testid="devtools-channels"] tbody .id')[0]?.textContent).toContain('#1')
    find('tab-requests').click()
    nextFrame()
    const [row] = all('[data-testid="devtools-requests"] tbody tr')
    expect(row?.textContent).toContain('token=…')
    expect(row?.textContent).toContain('open')
  })

  test('copied → JSON with everything, and no secret', async () => {
    const copied: string[] = []
    vi.spyOn(navigator.clipboard, 'writeText').mockImplementation(async (text) => {
      copied.push(text)
    })
    await one.send([1, 'one'])
    find('copy').click()
    await vi.waitFor(() => expect(find('result').textContent).toBe('Copied.'))
    expect(JSON.parse(copied[0]!)).toMatchObject({
      status: { state: 'open', mode: 'eventsource' },
      stats: { received: 1 },
      channels: [{ name: 'a', id: 1 }],
      requests: [{ kind: 'eventsource', state: 'open' }],
      messages: [{ kind: 'message', channel: 'a', text: 'one' }],
    })
    expect(copied[0]).not.toContain('secret')
  })

  test('without the permission to copy → selected', async () => {
    vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new Error('not allowed'))
    find('copy').click()
    await vi.waitFor(() => expect(find('result').textContent).toBe('Selected: copy it with the keyboard.'))
    const [json] = all('textarea') as HTMLTextAreaElement[]
    expect(json).toMatchObject({ hidden: false })
    expect(JSON.parse(json!.value)).toHaveProperty('status.state', 'open')
  })

  test('another client → its state, and what was recorded stays', async () => {
    await one.send([1, 'one'])
    const other = createClient()
    element().client = other.stream
    nextFrame()
    expect(all('.pill.state')[0]?.textContent).toBe('closed')
    expect(texts()).toEqual(['one'])
    await one.send([2, 'two'])
    nextFrame()
    expect(texts()).toEqual(['one'])
    element().client = undefined
    nextFrame()
    expect(all('.pill.state')[0]?.textContent).toBe('no client')
    other.stream.close()
  })

  test('removed and put back → goes on with what it has', async () => {
    const node = element()
    await one.send([1, 'one'])
    nextFrame()
    node.remove()
    expect(vi.getTimerCount()).toBe(0)
    await one.send([2, 'two'])
    document.body.append(node)
    await one.send([3, 'three'])
    nextFrame()
    expect(texts()).toEqual(['three', 'one'])
  })
})

test('inline → everything at once, without tabs and without a button', async () => {
  const node = document.createElement('pushstream-devtools') as PushStreamDevtoolsElement
  node.setAttribute('inline', '')
  document.body.prepend(node)
  node.client = one.stream
  await one.send([1, 'one'])
  nextFrame()
  expect(all('h3').map(({ textContent }) => textContent)).toEqual([
    'Timeline',
    'Messages',
    'Channels',
    'Requests',
    'Lateness',
  ])
  expect(all('[role=tab], .launcher')).toEqual([])
  expect(texts()).toEqual(['one'])
  node.remove()
})

test('in production → the same names, and nothing happens', () => {
  expect(Object.keys(production).sort()).toEqual(Object.keys(development).sort())
  production.defineDevtools()
  const before = document.body.children.length
  production.mountDevtools()()
  expect(document.body.children).toHaveLength(before)
})
