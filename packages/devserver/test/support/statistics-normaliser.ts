const COUNTERS =
  /("(?:channels|wildcard_channels|published_messages|stored_messages|messages_in_trash|channels_in_delete|channels_in_trash|subscribers|uptime)": )\d+/g

/**
 * Replaces the machine state in a statistics answer: the server-wide counters, uptime and pid, and the length that
 * follows from them. Only the line that begins with `{"hostname"` and the workers' lines are touched: the numbers of
 * channels are compared as they are. The length said must be the length sent, before it is replaced.
 */
export function normaliseStatistics(answer: Buffer): Buffer {
  const text = answer.toString('latin1')
  const split = text.indexOf('\r\n\r\n') + 4
  if (split < 4 || !text.slice(split).startsWith('{"hostname": ')) return answer
  const head = text.slice(0, split)
  const body = text.slice(split)
  const said = /Content-Length: (\d+)/.exec(head)
  if (said !== null && Number(said[1]) !== body.length) return answer
  const lines = body.split('\r\n').map((line) => {
    if (!line.startsWith('{"hostname": ') && !line.startsWith('{"pid": ')) return line
    return line.replace(COUNTERS, '$1N').replace(/("pid": ")\d+/, '$1N')
  })
  return Buffer.from(head.replace(/(Content-Length: )\d+/, '$1N') + lines.join('\r\n'), 'latin1')
}
