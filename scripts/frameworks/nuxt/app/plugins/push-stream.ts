import { createPushStream } from '@pushstream/vue'

export default defineNuxtPlugin(({ vueApp }) => {
  vueApp.use(createPushStream())
})
