import { render } from 'solid-js/web'
import { News } from './News'

render(() => <News />, document.querySelector('#app') as HTMLElement)
