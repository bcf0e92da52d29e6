// A page as they were written for the updates.js of django-pushserver. What that had not is told apart below.
$(() => {
  var given = new URLSearchParams(location.search)
  var server = new URL(given.get('url') || location.origin).origin
  var nchan = given.get('server') === 'nchan'
  var sent = 0

  /** A processor that lists what comes, newest first. */
  function list(id) {
    return (data) => {
      $('<li/>').append($('<span class="text"/>').text(data.text)).prependTo(id)
    }
  }

  /** It begins with everything that is stored, each time. */
  function subscribe() {
    $('#notifications, #answers').empty()
    $('#count').text(0)
    $.updates.subscribe({ 'user-42': `${server}${nchan ? '/sub/' : '/lp/'}user-42` })
    show()
  }

  function show() {
    var subscribed = $.updates.names.length > 0
    $('#state')
      .text(subscribed ? 'subscribed' : 'not subscribed')
      .attr('data-state', subscribed ? 'open' : 'closed')
    $('#subscribe').prop('disabled', subscribed)
    $('#unsubscribe').prop('disabled', !subscribed)
  }

  $.updates.registerProcessor('user-42', 'notification', list('#notifications'))
  $.updates.registerProcessor('user-42', 'answer', list('#answers'))

  // New: a catch-all, an end, and what is lost or goes wrong.
  $.updates.registerProcessor('*', '*', () => {
    $('#count').text(Number($('#count').text()) + 1)
  })
  $.updates.on('gap', (gap) => {
    $('#gaps').addClass('notice').text(`Something was missed, or may have been, on ${gap.channel} (${gap.reason}).`)
  })
  $.updates.on('error', (error) => $('#problem').text(error.message))

  $('#subscribe').on('click', subscribe)
  $('#unsubscribe').on('click', () => {
    $.updates.unsubscribe()
    show()
  })
  $('[data-type]').on('click', function send() {
    var type = $(this).data('type')
    var body = JSON.stringify({ type: type, text: `${$(this).text()}, number ${++sent} of this page` })
    $('#problem').text('')
    $.ajax({
      method: 'POST',
      url: server + (nchan ? '/pub/user-42' : '/pub?id=user-42'),
      contentType: 'text/plain',
      dataType: 'text',
      // The push stream module puts it into its template as it comes: quotes would spoil the frame.
      data: nchan ? body : encodeURIComponent(body),
    }).fail((answer) => $('#problem').text(`It was not sent: ${answer.status}`))
  })

  subscribe()
})
