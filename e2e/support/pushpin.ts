import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@pushstream/testkit'
import { accepting, Daemon } from './daemon.js'
import { missingProgram, program } from './programs.js'

/** A Pushpin for one test: a GRIP proxy in front of an application. */
export interface Pushpin {
  /** The address for pages. */
  readonly url: string
  /** The address at which the application publishes. */
  readonly control: string
  /** Restarts it. Connections end, and events published meanwhile are only in the application. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** Why Pushpin can't be run here; `undefined` if it can. */
export const missingPushpin = (): string | undefined => missingProgram('pushpin')

const config = (dir: string, port: number, controlPort: number) => `
[global]
include={libdir}/internal.conf
rundir=${dir}
ipc_prefix=own-

[runner]
services=condure,zurl,pushpin-proxy,pushpin-handler
http_port=127.0.0.1:${port}
logdir=${dir}
client_maxconn=200

[proxy]
routesfile=${join(dir, 'routes')}
# Without it 1.36 ends (an assertion of pushpin-handler) when it can't fill in an id in the middle of a stream.
debug=true
sig_key=of-a-test
updates_check=off
zurl_out_specs=ipc://{rundir}/{ipc_prefix}zurl-in
zurl_out_stream_specs=ipc://{rundir}/{ipc_prefix}zurl-in-stream
zurl_in_specs=ipc://{rundir}/{ipc_prefix}zurl-out

[handler]
push_in_spec=ipc://{rundir}/{ipc_prefix}push
push_in_sub_specs=ipc://{rundir}/{ipc_prefix}push-sub
push_in_sub_connect=false
push_in_http_addr=127.0.0.1
push_in_http_port=${controlPort}
stats_spec=ipc://{rundir}/{ipc_prefix}stats
command_spec=ipc://{rundir}/{ipc_prefix}command
message_rate=2500
message_hwm=25000
# How long an item waits for one that should come before it, in ms.
message_wait=300
id_cache_ttl=60
connection_subscription_max=20
`

/** `application`: the address to which requests are forwarded. */
export async function startPushpin(application: string): Promise<Pushpin> {
  const missing = missingPushpin()
  if (missing !== undefined) throw new Error(missing)
  const [port, controlPort] = [await freePort(), await freePort()]
  const dir = await mkdtemp(join(tmpdir(), 'pushstream-pushpin-'))
  const file = join(dir, 'pushpin.conf')
  await writeFile(file, config(dir, port, controlPort))
  await writeFile(join(dir, 'routes'), `* ${new URL(application).host}\n`)
  let daemon: Daemon | undefined
  const start = async () => {
    const starting = await Daemon.start(program('pushpin') as string, ['--config', file, '--merge-output'])
    daemon = starting
    const services = ['condure', 'zurl', 'proxy', 'handler']
    await starting.until('its services to be started', (lines) =>
      services.every((name) => lines.some((line) => line.includes(`[${name}]`) && line.endsWith(' started'))),
    )
    await accepting(port, () => starting.running)
  }
  const stop = async () => {
    daemon?.signal('SIGTERM')
    await daemon?.gone
  }
  const pushpin: Pushpin = {
    url: `http://127.0.0.1:${port}`,
    control: `http://127.0.0.1:${controlPort}`,
    async restart() {
      await stop()
      await start()
    },
    async close() {
      await stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
  try {
    await start()
  } catch (error) {
    await pushpin.close()
    throw error
  }
  return pushpin
}
