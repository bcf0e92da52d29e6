const byId = (id) => document.getElementById(id)

const stream = new PushStream.Client({ protocol: PushStream.nchan() })
const { channel } = document.body.dataset

/** Shows a notification where it belongs: newest first, and once, even if it comes twice. */
function show({ id, text }) {
  const items = [...byId('notifications').children]
  if (items.some((each) => Number(each.dataset.id) === id)) return
  const item = document.createElement('li')
  item.dataset.id = id
  // `textContent` shows markup as the text that it is.
  item.textContent = text
  byId('notifications').insertBefore(item, items.find((each) => Number(each.dataset.id) < id) ?? null)
}

async function ask(url, options) {
  const answer = await fetch(url, options)
  // A redirect leads to the form to sign in.
  if (answer.redirected || !answer.ok) throw new Error(`${url}: ${answer.status}`)
  return answer.status === 204 ? undefined : answer.json()
}

const post = (form) => ask(form.action, { method: 'POST', body: new FormData(form) })

/** The job that the dialog shows. */
let job

function showProgress({ id, done, steps }) {
  if (id !== job) return
  byId('job-id').textContent = id
  byId('progress').value = done
  byId('progress').max = steps
  byId('progress-text').textContent = done === steps ? 'Done.' : `${done} of ${steps}`
}

/** Shows what the application has stored: messages may be gone, and were not published while nginx was away. */
async function load() {
  try {
    const { notifications } = await ask(byId('notifications').dataset.url)
    for (const notification of notifications) show(notification)
    if (job !== undefined) showProgress(await ask(`${byId('start').action}/${job}`))
    return true
  } catch (error) {
    byId('notice').textContent = `The page may not be complete. Please reload it (${error.message}).`
    return false
  }
}

stream.registerProcessor(channel, 'notification', show)
stream.registerProcessor('*', 'progress', showProgress)
stream.addChannel(channel)
stream.on('status', ({ state, mode }) => {
  byId('status').dataset.state = state
  byId('status').textContent = state === 'open' ? `connected by ${mode}` : 'not connected, trying again'
})
stream.on('open', load)
stream.on('gap', async () => {
  if (await load()) byId('notice').textContent = 'Messages may have been missed, so the page was brought up to date.'
})
stream.on('error', (error) => {
  console.warn(error.message)
  // Signed out, in this page or in another one.
  if (error.code === 'unauthorized' || error.code === 'forbidden') location.reload()
})
stream.connect()

byId('logout').addEventListener('submit', () => stream.close())

byId('notify').addEventListener('submit', (event) => {
  event.preventDefault()
  post(event.target).then(
    () => (byId('problem').textContent = ''),
    () => (byId('problem').textContent = 'The notification was not sent.'),
  )
})

byId('start').addEventListener('submit', async (event) => {
  event.preventDefault()
  const started = await post(event.target).catch(() => undefined)
  byId('problem').textContent = started ? '' : 'The job was not started.'
  if (!started) return
  job = started.id
  showProgress(started)
  // The page is subscribed to the job for as long as the dialog is open.
  stream.addChannel(`job-${job}`)
  byId('job').showModal()
})

byId('job').addEventListener('close', () => {
  stream.removeChannel(`job-${job}`)
  job = undefined
})
