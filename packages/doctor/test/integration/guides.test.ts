import { describe, expect, test } from 'vitest'
import { missingNginx, pushStreamModule } from '../../../../e2e/support/nginx.js'
import { type Loaded, startGuide } from '../../../../e2e/support/nginx-guide.js'
import { lacking, withoutModule } from '../../../../e2e/support/programs.js'
import { run } from '../../src/run.js'

// The first configurations that a reader has, looked at by the command that the guides end with.

const servers: [guide: string, loaded: Loaded, missing: string | undefined][] = [
  ['start/nchan', 'Nchan', missingNginx('nchan')],
  ['start/push-stream', 'module', pushStreamModule() === undefined ? withoutModule : missingNginx('push-stream')],
]

// They wait for pings most of the time.
describe.concurrent('its own doctor', () => {
  for (const [name, loaded, missing] of servers)
    test.skipIf(lacking(missing))(`docs/${name}.md → no faults`, async () => {
      const { guide, close } = await startGuide(name, loaded)
      let out = ''
      const write = (text: string) => {
        out += text
      }
      try {
        const [, , ...args] = guide.command(/@pushstream\/doctor/).match(/'[^']*'|\S+/g) ?? []
        const given = args.map((text) => text.replaceAll("'", ''))
        const code = await run(given, { stdout: write, stderr: write })
        expect(out).toContain('No faults were found.')
        expect(code).toBe(0)
      } finally {
        await close()
      }
    })
})

test.skipIf(lacking(missingNginx('push-stream', { module: 'push_stream' })))(
  'docs/start/push-stream.md, no module → nginx says what the guide quotes',
  async () => {
    await expect(startGuide('start/push-stream', 'nothing')).rejects.toThrow(
      'unknown directive "push_stream_shared_memory_size"',
    )
  },
)
