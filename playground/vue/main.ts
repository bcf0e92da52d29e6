import { createPushStream } from '@pushstream/vue'
import { createApp } from 'vue'
import { Backend } from '../shared/backend.js'
import { readSettings } from '../shared/settings.js'
import App from './App.vue'

const { base, server, options } = readSettings(location.search, location.origin)

createApp(App, { backend: new Backend(base, server) })
  .use(createPushStream(options))
  .mount('#app')
