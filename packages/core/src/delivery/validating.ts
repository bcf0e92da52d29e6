import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Message } from '../message.js'
import type { Process } from './processors.js'

export interface ValidationEvents {
  failed(cause: unknown, message: Message): void
  /** The data is not what the schema wants. */
  invalid(message: Message, issues: readonly StandardSchemaV1.Issue[]): void
}

/**
 * A processor that gets what a schema makes of the data. Messages stay in order, even if the schema answers later. `end`: it
 * is not called any more, even if the schema is still at work.
 */
export function validating(
  schema: StandardSchemaV1,
  process: Process,
  events: ValidationEvents,
): { process: Process; end(): void } {
  let ended = false
  /** Settles when the messages before have been judged and handed on. Set only while there are any. */
  let before: Promise<void> | undefined

  function finish(result: StandardSchemaV1.Result<unknown>, message: Message): void {
    if (ended) return
    if (result.issues) events.invalid(message, result.issues)
    else process(result.value, message)
  }

  return {
    // What is thrown here is handled as the error of any processor.
    process(data, message) {
      const result = schema['~standard'].validate(data)
      if (!('then' in result) && before === undefined) return finish(result, message)
      const fail = (cause: unknown) => events.failed(cause, message)
      // A rejection is handled at once, even if messages before are still waited for.
      const judged = Promise.resolve(result).then(
        (answer) => () => finish(answer, message),
        (cause) => () => fail(cause),
      )
      const mine = Promise.all([judged, before])
        .then(([tell]) => tell())
        .catch(fail)
      before = mine
      void mine.then(() => {
        if (before === mine) before = undefined
      })
    },
    end() {
      ended = true
    },
  }
}
