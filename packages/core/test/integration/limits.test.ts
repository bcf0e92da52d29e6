import { describe, expect, test } from 'vitest'
import type { NginxOptions } from '../../../../e2e/support/nginx.js'
import { missing, startModule } from './push-stream-support.js'
import { allModes, record } from './support.js'

// Configurations of other people's servers, as cases: what a server limits, renames or leaves out.

/** The module with more in its `http` block, in its `server` block, or with other lines. */
const module = (http: string, server = '', adjust: NginxOptions['adjust'] = (config) => config) =>
  startModule({
    adjust: (config) => adjust(config.replace('  server {\n', () => `  ${http}\n  server {\n    ${server}\n`)),
  })

describe.skipIf(missing)('the module', () => {
  test.each(allModes)(
    'case 24: a map with a regular expression chooses the origin, %s → messages come',
    async (mode) => {
      const { nginx, publish } = await module(
        'map $http_host $cors { default ""; "~^(127)\\." "https://$1.example.org"; }',
        'push_stream_allowed_origins $cors;',
      )
      const { stream, messages, until } = record({ url: nginx.url, modes: [mode] })
      stream.addChannel('a').connect()
      await until(() => stream.status.state === 'open')
      await publish('a', 'x')
      await until(() => messages.length > 0)
      expect(messages).toMatchObject([{ channel: 'a', text: 'x' }])
    },
  )
})
