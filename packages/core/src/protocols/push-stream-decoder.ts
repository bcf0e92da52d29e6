import { told } from './form.js'
import type { Decoder, DecoderContext, DecoderEvents } from './protocol.js'
import { type Frames, noFrame, type Reading } from './push-stream-frames.js'

/** Makes the decoder of one connection. Most modes bring frame by frame. */
export function createDecoder(frames: Frames, context: DecoderContext, events: DecoderEvents): Decoder {
  const reading: Reading = {
    frames,
    context,
    events,
    fields: undefined,
    read: false,
    emit(frame, meta) {
      if (frame === undefined) return false
      const known = reading.fields !== undefined && frames.unnamed === (frame.channel === undefined)
      if (!known && frames.learn(frame)) reading.fields = told(frame)
      reading.read = !frames.texts
      frames.emit(frame, context, events, meta)
      return true
    },
    dead: (raw, reason) => frames.dead(raw, reason, context, events),
    whole(text, meta) {
      // A header template that only makes the answer begin.
      if (text && text.trim() === '') return events.ping()
      const frame = frames.whole(text, reading.fields, context)
      if (!reading.emit(frame, meta)) reading.dead(text, noFrame)
    },
    cut: (candidate, seen) =>
      candidate.trim() === '' || reading.emit(frames.cut(candidate, seen, reading.fields, context)),
  }
  return {
    frame: reading.whole,
    pulse(text) {
      if (text.trim() === 'hi') events.over({ kind: 'invalid', symptom: 'nchan' })
      else if (text.trim() === '-1') events.ping()
    },
    finish() {},
    ...context.cut?.(reading as never),
  }
}
