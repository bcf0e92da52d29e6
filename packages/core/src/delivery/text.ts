import type { IncomingMessage } from '../message.js'
import { hashOf } from './sequencer.js'

/**
 * What a text is remembered by. An eventsource knows only one end of a line, and loses what follows a lone
 * carriage return.
 */
export const textOf = ({ fingerprint }: Pick<IncomingMessage, 'fingerprint'>): number =>
  hashOf({ fingerprint: fingerprint.replace(/\r[^\n]*/g, '') })
