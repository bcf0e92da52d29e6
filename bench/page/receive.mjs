// For latency and recovery. A text is the time of its publication, and the page records when it arrives.
const now = () => performance.timeOrigin + performance.now()

const starters = {
  client({ url, modes, channel }, came, noted) {
    const client = new globalThis.Client.PushStream({ url, modes, text: 'plain' })
    client.on('status', ({ state, retryAt }) => noted({ at: now(), state, retryAt }))
    client.on('message', ({ text }) => came(text))
    client.addChannel(channel).connect()
  },
  ancestor({ url, modes, channel }, came, noted) {
    const { hostname: host, port } = new URL(url)
    const client = new globalThis.PushStream({
      host,
      port,
      modes: modes.join('|'),
      messagesControlByArgument: true,
      onmessage: came,
    })
    client.onstatuschange = (state) => noted({ at: now(), state })
    client.addChannel(channel)
    client.connect()
  },
  async bare({ url, channel }, came) {
    for (let position = ''; ; ) {
      const response = await fetch(`${url}/lp/${channel}${position}`)
      const text = await response.text()
      if (text === '') continue
      const frames = text
        .replaceAll('}{', '}\n{')
        .split('\n')
        .map((frame) => JSON.parse(frame))
      for (const frame of frames) came(frame.text)
      const { time, tag } = frames.at(-1)
      position = `?time=${encodeURIComponent(time)}&tag=${tag}`
    }
  },
}

/** Starts a receiver. `globalThis.got` has its states, and the times of publication and arrival of each message. */
export function receive(contender, options) {
  const messages = []
  const states = []
  globalThis.got ??= []
  globalThis.got.push({ messages, states })
  starters[contender](
    options,
    (text) => messages.push([Number(text), now()]),
    (state) => states.push(state),
  )
}
