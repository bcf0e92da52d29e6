import { setTimeout as pause } from 'node:timers/promises'
import type { FaultProxy } from '@pushstream/testkit'
import type { Stage } from './servers.js'

/** What a fault works with while messages are published. */
export interface Scene {
  readonly stage: Stage
  /** All fault proxies, of all pages. */
  readonly proxies: readonly FaultProxy[]
  /** Resolves when this share of the messages has been taken, from 0 to 1. The last tenth waits for the fault's end. */
  reached(share: number): Promise<void>
  /** The fault ends here, or a network that has to heal was hurt: from now until something new arrives is measured. */
  moment(): number
  /** Resolves when all pages have something that was published after this moment, or can't have waited longer. */
  recovered(moment: number): Promise<void>
}

export type FaultName = 'cut' | 'blackhole' | 'reload' | 'restart' | 'failover' | 'redis-restart' | 'slow' | 'buffering'

export interface Fault {
  readonly name: FaultName
  /** For the report: what is done. */
  readonly title: string
  /** From what the time to recover counts. */
  readonly from: string
  run(scene: Scene): Promise<void>
}

const cut: Fault = {
  name: 'cut',
  title: 'every connection is reset, each second',
  from: 'each cut',
  async run({ proxies, moment, reached }) {
    const timer = setInterval(() => {
      moment()
      for (const proxy of proxies) proxy.cut()
    }, 1000)
    await reached(0.9)
    clearInterval(timer)
  },
}

const blackhole: Fault = {
  name: 'blackhole',
  title: 'for 5 seconds every byte vanishes, and connections that were open then never heal',
  from: 'the end of it',
  async run({ proxies, moment, reached }) {
    await reached(0.2)
    for (const proxy of proxies) proxy.blackhole(true)
    await pause(5000)
    for (const proxy of proxies) proxy.blackhole(false)
    moment()
  },
}

const reload: Fault = {
  name: 'reload',
  title: 'the server reloads its configuration (SIGHUP), twice; of several nodes each',
  from: 'each reload',
  async run({ stage, moment, reached, recovered }) {
    for (const share of [0.3, 0.6]) {
      await reached(share)
      const at = moment()
      await stage.reload()
      await recovered(at)
    }
  },
}

const restart: Fault = {
  name: 'restart',
  title: 'the server is stopped, and started again in the next second; nodes in turn',
  from: 'its first new connection',
  async run({ stage, moment, reached, recovered }) {
    await reached(0.4)
    await stage.restart()
    await recovered(moment())
  },
}

const failover: Fault = {
  name: 'failover',
  title: 'a node is killed; when it is back and clients are well, the other is',
  from: 'each kill',
  async run({ stage, moment, reached, recovered }) {
    for (const [index, node] of stage.nodes.entries()) {
      await reached(0.2 + index * 0.4)
      const lines = Object.values(stage.networks).flatMap((network) => network[index] ?? [])
      const at = moment()
      // Nobody listens there any more, as when there were no proxies.
      await Promise.all([node.kill(), ...lines.map((proxy) => proxy.refuse(true))])
      await recovered(at)
      await node.start()
      await Promise.all(lines.map((proxy) => proxy.refuse(false)))
    }
  },
}

const redisRestart: Fault = {
  name: 'redis-restart',
  title: 'Redis is stopped for a second, and keeps everything (append-only file)',
  from: 'its first new connection',
  async run({ stage, moment, reached, recovered }) {
    await reached(0.4)
    await stage.redis?.stop()
    await pause(1000)
    await stage.redis?.start()
    await recovered(moment())
  },
}

const slow: Fault = {
  name: 'slow',
  title: 'each connection carries 64 KB a second, 50 ms late',
  from: 'the end of it',
  async run({ proxies, moment, reached }) {
    for (const proxy of proxies) {
      proxy.throttle(64 * 1024)
      proxy.delay(50)
    }
    await reached(0.8)
    for (const proxy of proxies) {
      proxy.throttle(Number.POSITIVE_INFINITY)
      proxy.delay(0)
    }
    moment()
  },
}

const buffering: Fault = {
  name: 'buffering',
  title: 'a proxy holds answers back until 64 KB came; connections have to be opened through it',
  from: 'the end of it',
  async run({ proxies, moment, reached }) {
    for (const proxy of proxies) {
      proxy.holdUntil(64 * 1024)
      proxy.cut()
    }
    await reached(0.8)
    for (const proxy of proxies) proxy.holdUntil(0)
    moment()
  },
}

export const faults: readonly Fault[] = [cut, blackhole, reload, restart, failover, redisRestart, slow, buffering]
