import { told } from './form.js'
import type { Decoder, DecoderContext, DecoderEvents } from './protocol.js'
import { type Frames, type Intake, noFrame } from './push-stream-frames.js'
import { undelimited } from './push-stream-undelimited.js'

/** Makes the decoder of one connection. Most modes bring frame by frame. */
export function createDecoder(frames: Frames, context: DecoderContext, events: DecoderEvents): Decoder {
  const { kind } = context
  const intake: Intake = {
    frames,
    context,
    events,
    fields: undefined,
    read: false,
    emit(frame, meta) {
      if (frame === undefined) return false
      const known = intake.fields !== undefined && frames.unnamed === (frame.channel === undefined)
      if (!known && frames.learn(frame)) intake.fields = told(frame)
      intake.read = !frames.texts
      frames.emit(frame, context, events, meta)
      return true
    },
    dead: (raw, reason) => frames.dead(raw, reason, context, events),
    whole(text, meta) {
      // A header template that only makes the answer begin.
      if (text && text.trim() === '') return events.ping()
      const frame = frames.whole(text, intake.fields, context)
      if (!intake.emit(frame, meta)) intake.dead(text, noFrame)
    },
    cut: (candidate, seen) =>
      candidate.trim() === '' || intake.emit(frames.cut(candidate, seen, intake.fields, context)),
  }
  return {
    frame: intake.whole,
    pulse(text) {
      if (text.trim() === 'hi') events.over({ kind: 'invalid', symptom: 'nchan' })
      else if (text.trim() === '-1') events.ping()
    },
    finish() {},
    ...((kind === 'stream' || kind === 'longpolling') && undelimited(intake)),
  }
}
