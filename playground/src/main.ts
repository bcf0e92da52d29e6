import { defineDevtools, type PushStreamDevtoolsElement } from '@pushstream/devtools'
import { BurstView } from './burst.js'
import { ChannelsView } from './channels.js'
import { ComposeView } from './compose.js'
import { ControlsView } from './controls.js'
import { FaultsView } from './faults.js'
import { HowtoView } from './howto.js'
import { readPreset } from './preset.js'
import { sentAt } from './publisher.js'
import { Session } from './session.js'
import { StatusView } from './status.js'

const preset = readPreset(location.search, location.origin)
// Half the client's usual patience, and less: a page to play with should notice a dead network while one looks.
const session = new Session({ url: preset.url, modes: preset.modes, silence: 10_000 }, preset.channels)

const status = new StatusView(session)
new ControlsView(session)
new ChannelsView(session)
const compose = new ComposeView(session)
const burst = new BurstView(session, () => compose.channel)
new FaultsView()
new HowtoView(session)

defineDevtools()
const devtools = document.querySelector('pushstream-devtools') as PushStreamDevtoolsElement
// Clocks differ, so only messages of this page say how late they are.
devtools.sentAt = ({ data }) => sentAt(data)
session.on('client', (client) => {
  devtools.client = client
})

const parts = [status, burst]
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
window.setInterval(
  () => {
    for (const part of parts) part.tick()
  },
  calm ? 1000 : 250,
)

if (preset.connect) status.connect()
for (const part of parts) part.tick()
