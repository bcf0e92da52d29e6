// For latency and recovery: texts are the time of their publication, the page notes when they come.
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

/** Starts a receiver. What it got lies in `globalThis.got`: pairs of publication and arrival, and its states. */
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
