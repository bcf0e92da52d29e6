import { pushStreamDevServer } from '@pushstream/devserver/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

export default defineConfig({
  // The development server takes the place of nginx: the page finds it at its own origin.
  plugins: [vue(), pushStreamDevServer()],
})
