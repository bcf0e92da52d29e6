import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Client } from './client.js'
import type { Process } from './delivery/processors.js'
import { validating } from './delivery/validating.js'
import type { Channels } from './events.js'
import { internalsOf } from './internals.js'
import type { Message } from './message.js'
import { checkProcessor } from './validate.js'

/**
 * Registers a processor for data that a [Standard Schema](https://standardschema.dev) accepts (zod, valibot, arktype,
 * …). The processor gets the schema's output. Data that the schema rejects becomes a `deadletter` with its `issues`.
 *
 * Messages reach the processor in order, even if the schema answers later. Other processors do not wait for it.
 *
 * @param channel the name of a channel, or `'*'` for any.
 * @param type the type of the messages, or `'*'` for any.
 * @returns a function that removes the processor. It is not called after that, even if a validation is still running.
 * @throws PushStreamError `bad-option` if the processor is not a function, `closed` if the client is closed.
 *
 * @example
 * ```ts
 * import { PushStream, registerWithSchema } from '@pushstream/core'
 * import { z } from 'zod'
 *
 * const stream = new PushStream().addChannel('user-42').connect()
 * const Answer = z.object({ type: z.literal('answer'), value: z.number() })
 * const stop = registerWithSchema(stream, 'user-42', 'answer', Answer, ({ value }) => console.log(value))
 * ```
 */
export function registerWithSchema<
  C extends Channels<C>,
  N extends (keyof C & string) | '*',
  T extends (N extends keyof C ? keyof C[N] & string : string) | '*',
  S extends StandardSchemaV1,
>(
  client: Client<C>,
  channel: N,
  type: T,
  schema: S,
  process: (data: StandardSchemaV1.InferOutput<S>, message: Message) => void,
): () => void {
  checkProcessor(process)
  const { emit, failed, endings } = internalsOf(client)
  const validated = validating(schema, process as Process, {
    failed,
    invalid(message, issues) {
      const { channel, text: raw } = message
      emit('deadletter', { channel, raw, reason: `the schema rejects it: ${issues[0]?.message}`, message, issues })
    },
  })
  const unregister = client.registerProcessor(channel, type, validated.process)
  const end = () => {
    validated.end()
    unregister()
    endings.delete(end)
  }
  endings.add(end)
  return end
}
