import { News } from './News'

export default function Page() {
  return <News />
}
