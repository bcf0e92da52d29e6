import { randomUUID } from 'node:crypto'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ChannelManager, nchanServer, Publisher } from '@pushstream/publisher'
import { createAuthorizer } from '@pushstream/publisher/auth'
import express from 'express'

const { PORT = '3000', PUSH_URL = 'http://127.0.0.1:9080' } = process.env

// In memory, for the example. Yours are in a database.
/** The user's name by the session's id. */
const sessions = new Map()
/** The notifications of each user, oldest first. Their ids grow. */
const notifications = new Map()
let lastId = 0

/** Each login has a channel of its own, whose name no one can guess. */
const channels = new ChannelManager({ publisher: new Publisher({ url: PUSH_URL, server: nchanServer() }) })

/** The id of the session that a request belongs to, if there is one. */
function sessionOf(request) {
  const id = /(?:^|; )session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
  return sessions.has(id) ? id : undefined
}

/** nginx asks this before it accepts a subscription. */
const auth = createAuthorizer({
  server: 'nchan',
  locations: ['/sub/'],
  async allow(channel, request) {
    const session = sessionOf(request)
    return session === undefined ? 401 : channel === (await channels.channelOf(session))
  },
})

/** Stores a notification, then publishes it to each login of the user. */
function notify(user, text) {
  const notification = { type: 'notification', id: ++lastId, text }
  notifications.set(user, [...(notifications.get(user) ?? []), notification].slice(-100))
  for (const [session, name] of sessions) {
    if (name !== user) continue
    // Without `check`, it also reaches a channel that nginx forgot in a restart.
    channels.push(session, notification, { check: false }).catch((error) => console.error(error.message))
  }
}

const app = express()
app.disable('x-powered-by')
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))))
app.use('/js', express.static(dirname(fileURLToPath(import.meta.resolve('@pushstream/core/pushstream.min.js')))))
app.use(express.urlencoded({ extended: false }))

app.get('/may', auth.handler)

app.post('/login', async (request, response, next) => {
  const name = String(request.body.name ?? '').trim()
  if (name === '') return response.status(400).send('Enter a name.')
  const session = randomUUID()
  try {
    await channels.allocate(session)
  } catch (error) {
    return next(error)
  }
  // No password, for the example.
  sessions.set(session, name)
  response.cookie('session', session, { httpOnly: true, sameSite: 'lax' }).redirect('/')
})

/** All that the page shows. It asks again if messages may be missing. */
app.get('/me', async (request, response) => {
  const session = sessionOf(request)
  if (session === undefined) return response.sendStatus(401)
  const name = sessions.get(session)
  response.set('Cache-Control', 'no-store').json({
    name,
    channel: await channels.channelOf(session),
    notifications: notifications.get(name) ?? [],
  })
})

app.post('/notify', (request, response) => {
  if (sessionOf(request) === undefined) return response.sendStatus(401)
  notify(String(request.body.to), String(request.body.text))
  response.sendStatus(204)
})

app.post('/logout', async (request, response, next) => {
  const session = sessionOf(request)
  if (session !== undefined) {
    // First the session, so that no page of it can subscribe again when its channel is deleted.
    sessions.delete(session)
    try {
      await channels.close(session)
    } catch (error) {
      return next(error)
    }
  }
  response.clearCookie('session').redirect('/')
})

app.listen(Number(PORT), '127.0.0.1')
