import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { pushStreamDevServer } from '../packages/devserver/src/vite.js'
import { alias } from '../vite.config.js'
import { compilers, pages } from './pages.js'
import { Faults } from './server/faults.js'
import { faultEndpoints } from './server/plugin.js'

const port = Number(process.env.PORT ?? 8080)
const faults = new Faults()

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Works wherever the built pages are put.
  base: './',
  resolve: { alias },
  plugins: [
    faultEndpoints(faults),
    pushStreamDevServer({ settings: { allowedOrigins: '*' }, onMount: (server) => faults.mount(server) }),
    compilers(),
  ],
  server: { host: '127.0.0.1', port, strictPort: true },
  preview: { host: '127.0.0.1', port, strictPort: true },
  build: { outDir: 'dist', emptyOutDir: true, rolldownOptions: { input: pages } },
})
