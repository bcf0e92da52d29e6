import { PushStreamProvider } from '@pushstream/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './channels'
import { App } from './App'
import './style.css'

createRoot(document.querySelector('#root') as HTMLElement).render(
  <StrictMode>
    <PushStreamProvider>
      <App />
    </PushStreamProvider>
  </StrictMode>,
)
