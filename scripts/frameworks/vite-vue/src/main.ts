import { createPushStream } from '@pushstream/vue'
import { createApp } from 'vue'
import NewsList from './NewsList.vue'

createApp(NewsList).use(createPushStream()).mount('#app')
