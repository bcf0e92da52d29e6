import { bad } from '../errors.js'
import type { Settings } from '../options.js'
import type { ModeName } from '../types.js'
import type { Connection } from './connection.js'
import { createMemory } from './memory.js'
import type { Turns } from './parts.js'
import { attemptDelay, type Policy } from './state.js'
import type { SessionTransport } from './transport.js'

/** How long a mode that brought nothing is put last, in ms. */
const cooldown = 5 * 60_000

/**
 * How long an attempt may take where a connection worked before, in ms, and how many times what that one took. It grows by
 * half with every failure but the first, up to `timeout`: a request that the network swallowed is never answered.
 */
const leastTimeout = 1500
const slower = 3

/** Which modes a session may use, in which order, and how patient it is. */
export class Strategy {
  readonly #settings: Settings
  readonly #turns: Turns | undefined
  readonly #memory
  readonly #coolingUntil = new Map<ModeName, number>()
  /** How long the server took to answer the last connection, in ms. */
  #took = Number.POSITIVE_INFINITY
  #least = leastTimeout
  /** When a connection that worked was lost. */
  #lostAt = Number.NEGATIVE_INFINITY

  constructor(settings: Settings, turns: Turns | undefined) {
    this.#settings = settings
    this.#turns = turns
    this.#memory = createMemory(settings.environment, settings.origin)
  }

  /** The modes wanted, as far as this runtime has them. */
  get usable(): readonly ModeName[] {
    const { environment, transports } = this.#settings
    const available = transports.filter((one) => one.available(environment))
    // Only polls can take turns.
    const kept = this.#turns?.scarce ? available.filter((one) => one.uncounted || one.polls) : available
    return kept.map(({ name }) => name)
  }

  /** @throws PushStreamError `bad-option` if this runtime has none of the modes. */
  check(): void {
    if (this.usable.length > 0) return
    const modes = this.#settings.transports.map(({ name }) => name).join(', ')
    throw bad(`This runtime has none of the modes ${modes}: use others, or 'environment'.`)
  }

  /** What a decision depends on besides the state. */
  get policy(): Policy {
    const { autoReconnect, backoffBase, backoffCap, environment, hosts } = this.#settings
    const modes = this.usable
    const now = environment.now()
    const cooling = modes.filter((mode) => (this.#coolingUntil.get(mode) ?? 0) > now)
    const last = (mode: ModeName) => Number(cooling.includes(mode))
    return {
      now,
      random: environment.random(),
      autoReconnect,
      base: backoffBase,
      // Only long outages make attempts rare. After a minute, nearly all of a herd are back within ten seconds.
      cap: Math.min(backoffCap, Math.max(backoffBase, (now - this.#lostAt) / 8)),
      others: hosts.count - 1,
      modes,
      cooling,
      order: [...this.#memory.order(modes)].sort((a, b) => last(a) - last(b)),
    }
  }

  /** How long an attempt may take after so many failures, in ms. */
  timeout(failures: number): number {
    return Math.min(
      this.#settings.timeout,
      Math.max(this.#least, slower * this.#took) * 1.5 ** Math.max(0, failures - 1),
    )
  }

  transportOf(mode: ModeName): SessionTransport {
    return this.#settings.transports.find(({ name }) => name === mode) as SessionTransport
  }

  /** A connection was accepted: its mode is tried first, unless the most wanted one works. */
  accepted({ mode, openedAt, lastLife, since, transport }: Connection): void {
    // A poll that hangs is accepted without an answer of its own.
    const answered = lastLife > openedAt ? lastLife : this.#settings.environment.now()
    this.#took = (transport.polls ? answered : since) - openedAt
    this.#least = leastTimeout
    this.#memory.remember(mode === this.usable[0] ? undefined : mode)
  }

  /** Until one is accepted, attempts may hang on connections of the browser's that died while the page was away. */
  hurry(): void {
    this.#least = attemptDelay
  }

  /** A connection that worked was lost. */
  lost(): void {
    this.#lostAt = this.#settings.environment.now()
  }

  /** A mode brought nothing, so it is put last for a while. */
  penalize(mode: ModeName): void {
    this.#coolingUntil.set(mode, this.#settings.environment.now() + cooldown)
  }
}
