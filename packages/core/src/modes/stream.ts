import type { Mode } from './mode.js'
import { openStreaming } from './streaming.js'

/** HTTP streaming: templates one after the other without a delimiter. The protocol finds their ends. */
export const stream: Mode = {
  name: 'stream',
  available: () => true,
  open: (next, sink, environment) =>
    openStreaming(
      next,
      sink,
      environment,
      () => true,
      () => (piece) => sink.frame(piece),
    ),
}
