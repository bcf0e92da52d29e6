import { connect, type Socket } from 'node:net'
import type { Clock } from '../clock.js'
import { type Framing, type Head, MessageReader, requestFraming, responseFraming } from './message-reader.js'
import type { PaceSettings, Parcel } from './pace.js'
import { type Fate, Pipe } from './pipe.js'
import { type HoldSettings, ResponseHold } from './response-hold.js'
import type { Target } from './target.js'
import { asksUpgrade, refusal, type UpgradePolicy, withoutUpgrade } from './upgrade.js'

/** Who ended a connection first. */
export type ClosedBy = 'client' | 'server' | 'proxy'

/** The current faults of the proxy. */
export interface Faults extends PaceSettings {
  hold: HoldSettings
  upgrades: UpgradePolicy
  fate: Fate
}

export interface LinkHooks {
  received(side: 'client' | 'server', bytes: number): void
  swallowed(side: 'client' | 'server', bytes: number): void
  request(head: Head, upgrade: boolean): void
  /** The client's side has ended. */
  closed(by: ClosedBy): void
  /** Both sides have ended. */
  gone(): void
}

/** One client connection, and its connection to the server. */
export class Link {
  #client: Socket
  #upstream: Socket | undefined
  #target: Target
  #faults: Faults
  #hooks: LinkHooks
  #up: Pipe
  #down: Pipe
  #requests: MessageReader
  #responses: MessageReader
  #hold: ResponseHold
  #methods: string[] = []
  #batch: Buffer[] = []
  #closedBy: ClosedBy | undefined
  #refused = false
  #announced = false

  constructor(client: Socket, target: Target, clock: Clock, faults: Faults, hooks: LinkHooks) {
    this.#client = client
    this.#target = target
    this.#faults = faults
    this.#hooks = hooks
    this.#up = new Pipe(clock, faults, faults.fate, {
      received: (bytes) => hooks.received('client', bytes.length),
      swallowed: (bytes) => hooks.swallowed('client', bytes),
      process: (parcel) => this.#processUp(parcel),
    })
    this.#down = new Pipe(clock, faults, faults.fate, {
      received: (bytes) => hooks.received('server', bytes.length),
      swallowed: (bytes) => hooks.swallowed('server', bytes),
      process: (parcel) => this.#processDown(parcel),
    })
    this.#hold = new ResponseHold(faults.hold, (bytes) => this.#batch.push(bytes))
    const raw = (bytes: Buffer) => this.#batch.push(bytes)
    this.#requests = new MessageReader('request', {
      head: (head) => this.#sawRequest(head),
      body: raw,
      end: () => {},
      raw,
    })
    this.#responses = new MessageReader('response', {
      head: (head) => this.#sawResponse(head),
      body: (bytes, content) => this.#hold.body(bytes, content),
      end: () => this.#hold.flush(),
      raw,
    })
    this.#openClient()
    if (faults.fate === 'flow') this.#openUpstream()
  }

  get fate(): Fate {
    return this.#up.fate
  }

  /** Whether the client's side is open. */
  get open(): boolean {
    return !this.#announced
  }

  setFate(fate: Fate): void {
    if (this.fate === fate || this.fate === 'swallow') return
    const change = fate === 'flow' ? 'release' : fate
    if (fate === 'flow' && this.#upstream === undefined && !this.#refused) this.#openUpstream()
    if (fate === 'swallow') this.#hold.clear()
    this.#up[change]()
    this.#down[change]()
  }

  pokePace(): void {
    this.#up.poke()
    this.#down.poke()
  }

  pokeHold(): void {
    this.#hold.poke()
    this.#flush(this.#down)
  }

  end(how: 'rst' | 'fin'): void {
    this.#closedBy ??= 'proxy'
    this.#up.shut()
    this.#down.shut()
    for (const socket of [this.#client, this.#upstream]) {
      if (how === 'rst') socket?.resetAndDestroy()
      else socket?.destroySoon()
    }
  }

  #openClient(): void {
    const client = this.#client
    // An error is followed by a close, which handles it.
    client.on('error', () => {})
    client.on('end', () => {
      this.#blame('client')
      // In a black hole, the client's FIN gets no answer, so no 'close' follows.
      if (this.fate !== 'flow') this.#announce()
    })
    client.on('close', () => {
      this.#blame('client')
      this.#announce()
      this.#finish()
    })
    client.setNoDelay(true)
    this.#down.writeTo(client)
    this.#up.readFrom(client)
  }

  #openUpstream(): void {
    const upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true })
    this.#upstream = upstream
    upstream.on('error', () => {})
    upstream.on('end', () => this.#blame('server'))
    upstream.on('close', () => {
      this.#blame('server')
      this.#finish()
    })
    this.#up.writeTo(upstream)
    this.#down.readFrom(upstream)
  }

  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.#hooks.closed(this.#closedBy ?? 'client')
  }

  #blame(who: ClosedBy): void {
    // The server's end counts only if the client notices it.
    if (who === 'server' && (this.fate !== 'flow' || this.#refused)) return
    this.#closedBy ??= who
  }

  #finish(): void {
    if (!this.#client.destroyed) return
    if (this.#upstream === undefined || this.#upstream.destroyed) {
      this.#up.shut()
      this.#down.shut()
      this.#hooks.gone()
    }
  }

  #processUp(parcel: Parcel): void {
    if (this.#refused) {
      if (parcel === 'end') this.#client.end()
      return
    }
    if (typeof parcel !== 'string') this.#requests.push(parcel)
    else this.#requests.finish()
    this.#flush(this.#up)
    if (typeof parcel === 'string') this.#up.push(parcel)
  }

  #processDown(parcel: Parcel): void {
    if (this.#refused) return
    if (typeof parcel !== 'string') this.#responses.push(parcel)
    else {
      this.#responses.finish()
      this.#hold.flush()
    }
    this.#flush(this.#down)
    if (typeof parcel === 'string') this.#down.push(parcel)
  }

  #flush(pipe: Pipe): void {
    const batch = this.#batch.splice(0)
    if (batch.length > 0) pipe.push(batch.length === 1 ? batch[0]! : Buffer.concat(batch))
  }

  #sawRequest(head: Head): Framing {
    const upgrade = asksUpgrade(head)
    this.#hooks.request(head, upgrade)
    const policy = upgrade ? this.#faults.upgrades : 'pass'
    if (policy === 'hang' || typeof policy === 'object') {
      this.#refuse(policy)
      return 'none'
    }
    this.#methods.push(head.start[0])
    this.#batch.push(policy === 'swallow' && upgrade ? withoutUpgrade(head) : head.bytes)
    return upgrade && policy === 'pass' ? 'tunnel' : requestFraming(head)
  }

  #sawResponse(head: Head): Framing {
    const framing = responseFraming(head, this.#methods[0] ?? 'GET')
    const interim = framing === 'none' && Number(head.start[1]) < 200
    if (!interim) this.#methods.shift()
    if (interim || framing === 'tunnel') this.#batch.push(head.bytes)
    else {
      this.#hold.head(head.bytes)
      this.#requests.leaveTunnel()
    }
    return framing
  }

  #refuse(policy: 'hang' | { status: number }): void {
    this.#refused = true
    this.#upstream?.destroy()
    if (policy === 'hang') return
    this.#closedBy ??= 'proxy'
    this.#down.push(refusal(policy.status))
    this.#down.push('end')
  }
}
