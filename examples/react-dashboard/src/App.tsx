import { Load } from './Load'
import { Orders } from './Orders'
import { StatusBadge } from './StatusBadge'
import { Visitors } from './Visitors'

export function App() {
  return (
    <>
      <header>
        <h1>Dashboard</h1>
        <StatusBadge />
      </header>
      <main>
        <Load />
        <Visitors />
        <Orders />
      </main>
    </>
  )
}
