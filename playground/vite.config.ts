import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
// By its path: a configuration is loaded before its own aliases hold.
import { pushStreamDevServer } from '../packages/devserver/src/vite.js'
import { alias } from '../vite.config.js'

/** The playground, served together with the push stream server it talks to. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { alias },
  plugins: [pushStreamDevServer()],
})
