import { createPushStream } from '@pushstream/vue'
import { createApp } from 'vue'
import './channels'
import App from './App.vue'
import './style.css'

createApp(App).use(createPushStream()).mount('#app')
