import { createFakeClient } from '@pushstream/testkit/client'
import { createPushStream } from '@pushstream/vue'
import { afterEach, expect, test } from 'vitest'
import { type App, createApp, nextTick } from 'vue'
import UserAnswer from './UserAnswer.vue'

let app: App

afterEach(() => app.unmount())

function show() {
  const fake = createFakeClient()
  const page = document.createElement('div')
  app = createApp(UserAnswer, { user: 42 })
  app.use(createPushStream(fake.client)).mount(page)
  return { fake, role: (role: string) => page.querySelector(`[role=${role}]`) }
}

test('an answer arrives → it is shown', async () => {
  const { fake, role } = show()
  expect(fake.added).toEqual([{ channel: 'user-42', backtrack: 1 }])
  expect(role('status')?.textContent).toBe('No answer yet')
  fake.emit('user-42', { type: 'answer', value: 42 })
  await nextTick()
  expect(role('status')?.textContent).toBe('42')
})

test('the connection is lost and comes back → busy meanwhile', async () => {
  const { fake, role } = show()
  fake.status('waiting')
  await nextTick()
  expect(role('status')?.getAttribute('aria-busy')).toBe('true')
  fake.status('open')
  await nextTick()
  expect(role('status')?.getAttribute('aria-busy')).toBe('false')
})

test('messages are gone → the user is asked to reload', async () => {
  const { fake, role } = show()
  fake.gap('user-42')
  await nextTick()
  expect(role('alert')?.textContent).toBe('Something was missed: please reload.')
})

test('the channel is refused → the user reads why', async () => {
  const { fake, role } = show()
  fake.client.on('error', () => {}) // Without a listener, the client warns on the console.
  fake.refuse('user-42')
  await nextTick()
  expect(role('alert')?.textContent).toBe('This is not for you.')
  expect(fake.channels).toEqual([])
})
