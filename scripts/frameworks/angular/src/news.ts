import { Component } from '@angular/core'
import { pushChannel } from './push-stream'

@Component({
  selector: 'app-news',
  template: `
    <main [attr.aria-busy]="news().status !== 'open'">
      <h1>News</h1>
      <ul>
        @for (message of news().messages; track message.id) {
          <li>{{ message.data.title }}</li>
        }
      </ul>
    </main>
  `,
})
export class News {
  readonly news = pushChannel<{ title: string }>('news', { history: 10 })
}
