import type { Channel } from '../delivery/channel.js'
import type { Settings } from '../options.js'
import type { CloseReason, Transport } from '../types.js'
import type { Checks } from './checks.js'
import type { Requests } from './requests.js'
import { Source } from './source.js'

const ignore = () => {}

/** Finds out which channels a server rejects when it rejected several in one request. */
export function createSifting(settings: Settings, checks: Checks, requests: Requests) {
  const probes = new Set<Source>()

  /** Asks for one channel alone. Resolves with the ending, if there was one. */
  async function alone(channel: Channel, mode: Transport): Promise<CloseReason | undefined> {
    if (checks.possible !== false) {
      const { ending } = await checks.poll([channel], undefined, settings.timeout, () => 0)
      if (ending === undefined || settings.protocol.verdict(ending) !== 'mode') return ending
    }
    return ask([channel], mode)
  }

  /** Asks in a mode. Resolves with the ending, if there was one. */
  function ask(channels: readonly Channel[], mode: Transport): Promise<CloseReason | undefined> {
    return new Promise((resolve) => {
      const done = (ending?: CloseReason) =>
        queueMicrotask(() => {
          probes.delete(probe)
          probe.close()
          resolve(ending)
        })
      const next = () => requests.make(mode.name, channels, undefined, () => 0)
      const probe = new Source(mode, new Set(channels.map(({ name }) => name)), 0, next, settings, {
        accepted: () => done(),
        ended: done,
        idle: ignore,
        dead: ignore,
        ping: ignore,
        message: ignore,
        deleted: ignore,
        deadletter: ignore,
        answered: ignore,
      })
      probes.add(probe)
      // A poll that hangs was not rejected.
      if (mode.polls) probe.after(settings.timeout / 5, () => done())
    })
  }

  return {
    ask,
    /** The channels among these that are rejected, each with the ending that says why. */
    async sift(
      channels: readonly Channel[],
      rejection: CloseReason,
      mode: Transport,
    ): Promise<Map<Channel, CloseReason>> {
      const found = new Map<Channel, CloseReason>()
      await Promise.all(
        channels.map(async (channel) => {
          const ending = channels.length === 1 ? rejection : await alone(channel, mode)
          if (ending !== undefined && settings.protocol.verdict(ending) === 'rejected') found.set(channel, ending)
        }),
      )
      return found
    },
    stop() {
      for (const probe of probes) probe.close()
      probes.clear()
    },
  }
}
