import { PushStreamProvider } from '@pushstream/react'
import { createFakeClient } from '@pushstream/testkit/client'
import { act, cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest' // with Jest, from '@jest/globals'
import { UserAnswer } from './UserAnswer'

afterEach(cleanup)

function show() {
  const fake = createFakeClient()
  render(
    <PushStreamProvider client={fake.client}>
      <UserAnswer user={42} />
    </PushStreamProvider>,
  )
  return fake
}

test('an answer arrives → it is shown', () => {
  const fake = show()
  expect(fake.added).toEqual([{ channel: 'user-42', backtrack: 1 }])
  expect(screen.getByRole('status').textContent).toBe('No answer yet')
  act(() => void fake.emit('user-42', { type: 'answer', value: 42 }))
  expect(screen.getByRole('status').textContent).toBe('42')
})

test('the connection is lost and comes back → busy meanwhile', () => {
  const fake = show()
  act(() => fake.status('waiting'))
  expect(screen.getByRole('status').getAttribute('aria-busy')).toBe('true')
  act(() => fake.status('open'))
  expect(screen.getByRole('status').getAttribute('aria-busy')).toBe('false')
})

test('messages are gone → the user is asked to reload', () => {
  const fake = show()
  act(() => void fake.gap('user-42'))
  expect(screen.getByRole('alert').textContent).toBe('Something was missed: please reload.')
})

test('the channel is refused → the user reads why', () => {
  const fake = show()
  fake.client.on('error', () => {}) // Without a listener, the client warns on the console.
  act(() => void fake.refuse('user-42'))
  expect(screen.getByRole('alert').textContent).toBe('This is not for you.')
  expect(fake.channels).toEqual([])
})
