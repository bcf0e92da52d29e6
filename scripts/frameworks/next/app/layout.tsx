import { PushStreamProvider } from '@pushstream/react'
import type { ReactNode } from 'react'

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <PushStreamProvider>{children}</PushStreamProvider>
      </body>
    </html>
  )
}
