import '../support/dom.js'
import { readFileSync } from 'node:fs'
import { PushStreamProvider } from '@pushstream/react'
import { createPushStream } from '@pushstream/vue'
import { act, createElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp, h } from 'vue'
import type { PushStreamDevtoolsElement } from '../../src/element.js'
import { PushStreamDevtools } from '../../src/react.js'
import { PushStreamDevtools as VueDevtools } from '../../src/vue.js'
import { createClient, type TestClient } from '../support/client.js'

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })
let one: TestClient
let place: HTMLElement

beforeEach(() => {
  one = createClient()
  place = document.createElement('div')
  document.body.append(place)
})

afterEach(() => {
  place.remove()
  one.stream.close()
})

const mounted = () => [...document.querySelectorAll<PushStreamDevtoolsElement>('pushstream-devtools')]

test('React under StrictMode → shown once, and gone with the component', async () => {
  const root = createRoot(place)
  const devtools = createElement(PushStreamDevtools, { open: true })
  const app = createElement(PushStreamProvider, { client: one.stream }, devtools)
  await act(async () => root.render(createElement(StrictMode, null, app)))
  expect(mounted()).toMatchObject([{ client: one.stream, open: true }])
  await act(async () => root.unmount())
  expect(mounted()).toEqual([])
})

test('Vue → shown once, and gone with the component', () => {
  const app = createApp({ render: () => h(VueDevtools, { open: true, theme: 'dark' }) })
  app.use(createPushStream(one.stream)).mount(place)
  expect(mounted()).toMatchObject([{ client: one.stream, open: true }])
  expect(mounted()[0]?.getAttribute('theme')).toBe('dark')
  app.unmount()
  expect(mounted()).toEqual([])
})

test.each(['index.ts', 'react.ts', 'vue.ts'])(
  '%s → reaches the devtools only by what a production build replaces',
  (file) => {
    const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8')
    const values = source.split('\n').filter((line) => /^(import|export) (?!type)/.test(line))
    const relative = values.flatMap((line) => /from '(\.[^']+)'/.exec(line)?.[1] ?? [])
    expect(relative).toEqual(['./mount.js'])
    const production = readFileSync(new URL('../../src/mount.production.ts', import.meta.url), 'utf8')
    expect(production).not.toContain('import')
  },
)
