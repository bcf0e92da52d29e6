// What a user of the package writes, compiled against the packed package by scripts/check-packages.mjs.
import { createDevServer, DEFAULT_LOCATIONS, type DevServer, type DevServerOptions } from '@pushstream/devserver'
import { type PushStreamPluginOptions, pushStreamDevServer } from '@pushstream/devserver/vite'
import { defineConfig } from 'vite'

const options: DevServerOptions = { locations: DEFAULT_LOCATIONS, settings: { pingMessageInterval: 2000 } }
const server: DevServer = createDevServer(options)
const { url } = await server.listen(0)
const id: number = server.publish('news', 'hello').id
console.log(url, id)
await server.close()

const plugin: PushStreamPluginOptions = { onMount: (mounted) => mounted.reload() }
export default defineConfig({ plugins: [pushStreamDevServer(plugin)] })
