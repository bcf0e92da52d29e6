import { PushStreamError } from './errors.js'
import type * as development from './symptoms.js'

/** The same in a few words. The page that it names says what mends it. */
export const troubled: typeof development.troubled = (code, what, details) => {
  const { channel, symptom, url } = details
  const page = symptom && `docs/troubleshooting.md#${symptom}`
  return new PushStreamError(code, [code, channel, what, url, page].filter(Boolean).join(' '), details)
}
