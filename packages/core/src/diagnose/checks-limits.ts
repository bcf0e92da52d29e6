import { type Check, finding, noMode } from './check.js'

export const limits: Check = {
  name: 'limits',
  needs: (seen) => noMode(seen) ?? (seen.limits === undefined ? 'only looked at if asked for' : undefined),
  run({ limits: { line, connections } = {} }) {
    // nginx refuses it at once: what hangs was taken, as a long-poll.
    const short = line?.status !== undefined && [414, 431, 494].includes(line.status)
    const refused = connections?.refused
    const why = [refused?.kind, refused?.status, refused?.explain].filter(Boolean).join(' ')
    const took = `${connections?.opened} of ${connections?.asked} connections were taken`
    return {
      findings: [
        ...(short ? [finding('buffers', `an address of ${line.length} characters: status ${line.status}`)] : []),
        ...(refused ? [finding('limits', `${took}: ${why}`)] : []),
      ],
      detail: `an address of ${line?.length} characters${connections ? `, ${took}` : ''}`,
    }
  },
}

export const http: Check = {
  name: 'http version',
  needs: (seen) => noMode(seen) ?? (seen.http === undefined ? 'this runtime does not show it' : undefined),
  run({ http: version, modes: listed }) {
    const few = version?.startsWith('http/1') && !listed.includes('websocket')
    return { findings: few ? [finding('connections', `${version}`)] : [], detail: `${version}` }
  },
}
