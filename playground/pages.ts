import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { Plugin, PluginOption } from 'vite'
import { dropIn } from './server/drop-in.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The pages by name. */
export const pages = {
  index: at('./index.html'),
  client: at('./client.html'),
  react: at('./react/index.html'),
  vue: at('./vue/index.html'),
  plain: at('./plain/index.html'),
  updates: at('./updates/index.html'),
}

/** What the built pages may do. Vite's own page in development needs more, so it is not told there. */
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

/** What compiles the pages, here and for the tests in browsers. */
export const compilers = (): PluginOption[] => [vue(), dropIn(), contentSecurityPolicy]
