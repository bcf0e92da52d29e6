// What a page did with the updates.js of django-pushserver: nothing of it had to change.
$(() => {
  const urls = JSON.parse(new URLSearchParams(location.search).get('urls'))

  function updateAnswer(data) {
    $('<li/>').text(data.value).appendTo('#answers')
  }

  $.updates.registerProcessor('main_channel', 'answer', updateAnswer)
  $.updates.subscribe(urls)
  $.updates.registerProcessor('main_channel', 'answer', (data) => {
    $('<li/>').text(JSON.stringify(data)).appendTo('#log')
    return false
  })
  $.updates.registerProcessor('second_channel', 'answer', (data) => {
    $('<li/>')
      .text(`second ${JSON.stringify(data)}`)
      .appendTo('#log')
  })
  $.updates.registerProcessor('main_channel', 'bomb', () => {
    throw new Error('boom')
  })
  $.updates.registerProcessor('main_channel', 'bomb', () => {
    $('<li/>').text('after the bomb').appendTo('#log')
  })
})
