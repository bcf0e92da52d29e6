import { PushStream } from '@pushstream/core'

const stream = new PushStream()
stream.addChannel('news')
stream.on('message', ({ data }) => {
  const item = document.createElement('li')
  item.textContent = data.title
  document.querySelector('ul').append(item)
})
stream.on('status', ({ state }) => {
  document.querySelector('main').ariaBusy = String(state !== 'open')
})
stream.connect()
