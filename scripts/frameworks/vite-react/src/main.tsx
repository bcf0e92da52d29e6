import { PushStreamProvider } from '@pushstream/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { News } from './News'

createRoot(document.querySelector('#root') as HTMLElement).render(
  <StrictMode>
    <PushStreamProvider>
      <News />
    </PushStreamProvider>
  </StrictMode>,
)
