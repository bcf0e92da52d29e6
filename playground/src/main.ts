import { BurstView } from './burst.js'
import { ChannelsView } from './channels.js'
import { ComposeView } from './compose.js'
import { ControlsView } from './controls.js'
import { CountersView } from './counters.js'
import { FaultsView } from './faults.js'
import { History } from './history.js'
import { HowtoView } from './howto.js'
import { LatencyView } from './latency.js'
import { LogView } from './log.js'
import { readPreset } from './preset.js'
import { Session } from './session.js'
import { StatusView } from './status.js'
import { TimelineView } from './timeline.js'

const preset = readPreset(location.search, location.origin)
// Half the client's usual patience, and less: a page to play with should notice a dead network while one looks.
const session = new Session({ url: preset.url, modes: preset.modes, silence: 10_000 }, preset.channels)

const history = new History(session)
const status = new StatusView(session)
new ControlsView(session)
new ChannelsView(session)
const compose = new ComposeView(session)
const burst = new BurstView(session, () => compose.channel)
const log = new LogView(session)
const counters = new CountersView(session)
const timeline = new TimelineView(history)
const latency = new LatencyView(session)
new FaultsView()
new HowtoView(session)

const parts = [status, burst, counters, timeline, latency]
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
window.setInterval(
  () => {
    for (const part of parts) part.tick()
  },
  calm ? 1000 : 250,
)

if (preset.connect) {
  try {
    session.connect()
  } catch (error) {
    log.report(error as Error)
  }
}
for (const part of parts) part.tick()
