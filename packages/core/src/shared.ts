import { Client } from './client.js'
import { numbered } from './delivery/order.js'
import { Processors } from './delivery/processors.js'
import { textOf } from './delivery/text.js'
import { Emitter } from './emitter.js'
import { onAbort } from './environment.js'
import { bad, PushStreamError } from './errors.js'
import { IncomingMessage } from './message.js'
import { longpolling } from './modes.js'
import { everything, positionOf, secondOf, tagOf, timeOf } from './position.js'
import { checkName, refuse, steps } from './protocols/names.js'
import { pushStream } from './protocols/push-stream.js'
import { messageTemplate } from './protocols/template.js'

/**
 * The part of pushstream.js that `pushstream-*.js` use as well. They are built without the modules above and take these
 * names from `PushStream.shared` when they are loaded (scripts/borrowing.mjs), so all scripts must be of one version.
 */
export const shared = {
  Client,
  PushStreamError,
  Processors,
  Emitter,
  IncomingMessage,
  bad,
  checkName,
  everything,
  longpolling,
  messageTemplate,
  numbered,
  onAbort,
  positionOf,
  pushStream,
  refuse,
  secondOf,
  steps,
  tagOf,
  textOf,
  timeOf,
}
