import type { Received } from '../message.js'
import { hashOf } from './sequencer.js'

/** What a text is remembered by. Modes differ in how they write the ends of lines. */
export const textOf = ({ fingerprint }: Received): number =>
  hashOf({ fingerprint: fingerprint.replace(/\r\n?/g, '\n') })
