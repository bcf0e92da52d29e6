import { For } from 'solid-js'
import { pushChannel } from './push-stream'

export function News() {
  const news = pushChannel<{ title: string }>('news', { history: 10 })
  return (
    <main aria-busy={news().status !== 'open'}>
      <h1>News</h1>
      <ul>
        <For each={news().messages}>{({ data }) => <li>{data.title}</li>}</For>
      </ul>
    </main>
  )
}
