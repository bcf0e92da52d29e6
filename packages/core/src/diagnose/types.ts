import type { Fault } from '../troubleshooting.js'
import type { CloseReason, ModeName } from '../types.js'

/** A message as a connection brought it. */
export interface Brought {
  readonly id: number | undefined
  readonly channel: string
  readonly text: string
  /** Where it stands in the server's stream. NaN if that was not told. */
  readonly position: number
  readonly tag: number | undefined
  readonly eventId: string | undefined
  /** When it came, in ms since the diagnosis began. */
  readonly at: number
  /** Why its text can't be trusted. */
  readonly dead: string | undefined
}

/** What the headers of an answer said. */
export interface Answered {
  readonly status: number
  readonly type: string
  /** Access-Control-Allow-Origin and -Credentials. */
  readonly origin: string | undefined
  readonly credentials: string | undefined
  /** The server whose answers have such headers. */
  readonly server: 'push-stream' | 'nchan' | undefined
  readonly explain: string | undefined
  /** Without the page's origin, the same request is not refused. */
  readonly byOrigin?: true
}

/** What one connection showed. Times are in ms since the diagnosis began. */
export interface Attempt {
  readonly mode: ModeName
  /** The address, without the values of its query. */
  readonly url: string
  readonly asked: number
  /** The headers of the first answer. */
  readonly answer: Answered | undefined
  /** The handshake, or the headers of an answer that is of this mode. For long-polling: its first whole answer. */
  readonly opened: number | undefined
  /** The first bytes. */
  readonly first: number | undefined
  readonly pings: number
  readonly messages: readonly Brought[]
  /** Frames that can't be read. */
  readonly dead: readonly string[]
  readonly ended: (CloseReason & { readonly at: number }) | undefined
  /** When it was given up or ended. */
  readonly until: number
}

/**
 * A plain request to the address of a mode that did not work. `hidden`: something answers, and the page may not see
 * what. `nothing`: no answer.
 */
export type Knock = Answered | 'hidden' | 'nothing'

/** By what a mode's location was asked to repeat messages, and whether it did. */
export interface Probes {
  /** How many of the stored messages that are known came again when they were asked for by their number. */
  readonly stored: number
  /** Whether it repeats the newest message: asked for everything since the second before it, and since its own second. */
  readonly time?: Means
  readonly tag?: Means
  /** Whether it repeats what it was not asked for: everything after the newest message brought that message. */
  readonly repeats?: boolean
  /** Whether it repeats the newest message, asked for what follows the event id of the one before it. */
  readonly eventId?: Means
  /** How often the newest message came when its channel was named twice in one request. */
  readonly copies?: number
  /** The address that was asked showed that it is of another mode. */
  readonly ended?: CloseReason
}

/** By which part of a request a position was understood. `both`: only together. */
export type Means = 'argument' | 'header' | 'both' | 'none'

/** A text that was published. */
export interface Published {
  readonly text: string
  readonly eventId: string
  /** When the publisher was asked, and when it had answered. */
  readonly from: number
  readonly at: number
  /** The status of the answer; `undefined` if there was none. */
  readonly status: number | undefined
}

/** What was seen of the limits of a server. */
export interface Limits {
  /** The status of a request whose line has this many characters. */
  readonly line?: { readonly length: number; readonly status: number | undefined }
  /** How many connections were opened at the same time, and why one of them was refused. */
  readonly connections?: { readonly opened: number; readonly asked: number; readonly refused: CloseReason | undefined }
}

/** Everything that was observed. Plain data: what follows from it is decided elsewhere. */
export interface Seen {
  readonly modes: readonly ModeName[]
  readonly attempts: readonly Attempt[]
  readonly knocks: Readonly<Partial<Record<ModeName, Knock>>>
  /** With a publisher. */
  readonly published: readonly Published[] | undefined
  readonly probes: Readonly<Partial<Record<ModeName, Probes>>>
  /** How many of the known messages could come again. */
  readonly known: number
  /** Fields of the message template that no message had. `undefined`: no message came, or the server has no template. */
  readonly lacks: readonly string[] | undefined
  readonly limits: Limits | undefined
  /** For how long connections were watched in silence, in ms. */
  readonly waited: number
  /** The page's origin, if it is another than the server's. */
  readonly origin: string | undefined
  /** Whether cookies are sent there. */
  readonly include: boolean
  /** Whether a browser keeps answers from the page. */
  readonly enforced: boolean
  /** The policy of the page forbids the address. */
  readonly blocked: boolean
  /** The page's, for what it may ask. */
  readonly page: { readonly protocol: string; readonly hostname: string; readonly port: string } | undefined
  /** Modes that this runtime can't use. */
  readonly unavailable: readonly ModeName[]
  /** `h2`, `http/1.1` and so on, if it is known. */
  readonly http: string | undefined
  /** The caller named the channel, so a refusal is not for a channel that does not exist. */
  readonly named: boolean
}

/** One fault, and what to change. */
export interface Finding {
  readonly fault: Fault
  /** The modes that showed it. Empty if it does not depend on the mode. */
  readonly modes: readonly ModeName[]
  /** What was seen. */
  readonly detail: string
  /** What to change in nginx: directives. `undefined` if nothing in nginx has to be changed. */
  readonly pushStream: string | undefined
  readonly nchan: string | undefined
  /** Where the documentation has more. */
  readonly docs: string
}

/** The result of a check. `unknown`: nothing could be observed, and `detail` says why. */
export interface Row {
  readonly check: string
  readonly outcome: 'ok' | 'fault' | 'unknown'
  readonly detail: string
  readonly findings: readonly Finding[]
}

/** The result of a diagnosis. */
export interface Report {
  readonly url: string
  readonly channel: string
  /** Whether there are no findings. A row that is `unknown` has none. */
  readonly ok: boolean
  readonly rows: readonly Row[]
  /** All findings of the rows. */
  readonly findings: readonly Finding[]
}
