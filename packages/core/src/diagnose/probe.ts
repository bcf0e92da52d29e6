import { positionOf, secondOf, timeOf } from '../position.js'
import type { ModeName } from '../types.js'
import { connect } from './connect.js'
import type { Ask, Context, Part } from './request.js'
import type { Attempt, Brought, Means, Probes, Published } from './types.js'

/** How long what is stored may take to come, in ms. An eventsource and a websocket bring it with their opening. */
const patience = 1200
/** How many stored messages are asked for, besides those that came while the connections were open. */
const some = 5

/** Whether another message is the same one. */
const sameAs = (one: Brought) => (other: Brought) =>
  one.text === other.text && one.id === other.id && Object.is(one.position, other.position)

/** Asks once, until this holds of what came or it takes too long. */
async function ask(context: Context, mode: ModeName, what: Ask, holds: (came: readonly Brought[]) => boolean) {
  const connected = connect(context, mode, what)
  await connected.until(({ messages }) => holds(messages), patience)
  connected.close()
  return connected.attempt
}

/** By which part of a request a location understood this. */
async function meansOf(context: Context, mode: ModeName, what: Ask, wanted: Brought): Promise<Means> {
  const comes = async (part: Part) => {
    const holds = (came: readonly Brought[]) => came.some(sameAs(wanted))
    return holds((await ask(context, mode, { ...what, part }, holds)).messages)
  }
  if (!(await comes('both'))) return 'none'
  // The handshake of a websocket takes no headers of ours.
  if (mode === 'websocket' || (await comes('argument'))) return 'argument'
  return (await comes('header')) ? 'header' : 'both'
}

/** What one mode repeats. `first`: what it brought of what is stored. */
async function probe(context: Context, mode: ModeName, known: readonly Brought[], first: Attempt): Promise<Probes> {
  const { settings, channel } = context
  const { capabilities, guarantees } = settings.protocol
  const { ended, messages } = first
  const kept = known.filter((one) => messages.some(sameAs(one)))
  const seen = { stored: kept.length, ...(ended?.kind === 'invalid' && { ended }) }
  const newest = kept.at(-1)
  if (newest === undefined) return seen
  const isNewest = sameAs(newest)
  const { position } = newest
  // Servers that number nothing tell a position with every message.
  if (guarantees.gaps === 'possible') {
    const again = await ask(context, mode, { position }, (came) => came.some(isNewest))
    return { ...seen, repeats: again.messages.some(isNewest) }
  }
  const before = kept.slice(0, -1).findLast(({ eventId }) => eventId !== undefined)?.eventId
  const twice = { name: channel, backtrack: 1 }
  const copiesIn = (came: readonly Brought[]) => came.filter(isNewest).length
  const means = (what: Ask) => meansOf(context, mode, what, newest)
  return {
    ...seen,
    ...(position > 0 && { time: await means({ position: positionOf(timeOf(position) - 1000, 0) }) }),
    ...(position > 0 && newest.tag !== undefined && { tag: await means({ position: secondOf(position) }) }),
    ...(before !== undefined && { eventId: await means({ eventId: before }) }),
    // Without a number or a time, what comes twice may be one that is known.
    ...(capabilities.channelsPerConnection > 1 &&
      (newest.id !== undefined || position > 0) && {
        copies: copiesIn(
          (await ask(context, mode, { channels: [twice, twice] }, (came) => copiesIn(came) > 1)).messages,
        ),
      }),
  }
}

/** Messages, each once, in the order of the server. */
function distinct(messages: readonly Brought[]): Brought[] {
  const all: Brought[] = []
  for (const one of messages) if (!all.some(sameAs(one))) all.push(one)
  return all.sort((a, b) => a.position - b.position || (a.id ?? 0) - (b.id ?? 0))
}

/** Asks each of these modes for what is stored, and from where it goes on. */
export async function probeAll(
  context: Context,
  modes: readonly ModeName[],
  attempts: readonly Attempt[],
  published: readonly Published[],
) {
  const live = attempts.flatMap(({ messages }) => messages)
  const count = some + distinct(live).length
  const channels = [{ name: context.channel, backtrack: count }]
  const ours = ({ text }: Brought) => published.some((one) => one.text === text)
  const complete = (came: readonly Brought[]) =>
    published.length > 0 ? published.every(({ text }) => came.some((one) => one.text === text)) : came.length >= count
  const firsts = await Promise.all(modes.map((mode) => ask(context, mode, { channels }, complete)))
  const all = distinct([...live, ...firsts.flatMap(({ messages }) => messages)])
  const known = published.length > 0 ? all.filter(ours) : all
  const found = await Promise.all(
    firsts.map(async (first) => [first.mode, await probe(context, first.mode, known, first)]),
  )
  return { known, probes: Object.fromEntries(found) as Partial<Record<ModeName, Probes>> }
}
