import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Backend } from '../shared/backend.js'
import { readSettings } from '../shared/settings.js'
import { byId } from '../src/dom.js'
import { App } from './App.js'

const { base, server, options } = readSettings(location.search, location.origin)

createRoot(byId('app', HTMLElement)).render(
  <StrictMode>
    <App options={options} backend={new Backend(base, server)} />
  </StrictMode>,
)
