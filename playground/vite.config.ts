import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'
import { pushStreamDevServer } from '../packages/devserver/src/vite.js'
import { alias } from '../vite.config.js'
import { Faults } from './server/faults.js'
import { faultEndpoints } from './server/plugin.js'

const port = Number(process.env.PORT ?? 8080)
const faults = new Faults()

/** What the built page may do. Vite's own page in development needs more, so it is not told there. */
const policy = "default-src 'self'; connect-src * ws: wss:; base-uri 'none'; form-action 'self'"

const contentSecurityPolicy: Plugin = {
  name: 'playground-content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
      injectTo: 'head-prepend',
    },
  ],
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Works wherever the built page is put.
  base: './',
  resolve: { alias },
  plugins: [
    faultEndpoints(faults),
    pushStreamDevServer({ settings: { allowedOrigins: '*' }, onMount: (server) => faults.mount(server) }),
    contentSecurityPolicy,
  ],
  server: { host: '127.0.0.1', port, strictPort: true },
  preview: { host: '127.0.0.1', port, strictPort: true },
  build: { outDir: 'dist', emptyOutDir: true },
})
