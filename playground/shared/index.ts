import { byId, setText } from '../src/dom.js'
import { mine } from './office.js'

const body = JSON.stringify({ type: 'notification', text: 'Hello from a shell' })
setText(byId('curl', HTMLElement), `curl -d '${body}' '${location.origin}/pub?id=${mine}'`)
