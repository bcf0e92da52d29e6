import { type DiagnoseOptions, diagnose, type Report } from '@pushstream/core/diagnose'
import { freePort } from '@pushstream/testkit'
import WebSocket from 'ws'
import { pushStreamModule, startNginx } from '../../../../e2e/support/nginx.js'
import { startInstead } from '../../../../e2e/support/wild.js'

/** The origin of the pages. */
const origin = 'https://www.example.org'

/** A configuration that runs. */
export interface Patient {
  readonly url: string
  readonly publish: string
  close(): Promise<void>
}

/** What to change in a configuration: text that is there, and what stands there instead. */
export type Change = readonly [text: string, instead: string]

function changed(config: string, changes: readonly Change[]): string {
  let text = config
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`the configuration has no ${from}`)
    text = text.replace(from, () => to)
  }
  return text
}

/** Starts the good configuration with these changes: with the module, or with the development server in its place. */
export async function startPatient(name: 'doctor' | 'doctor-nchan', changes: readonly Change[]): Promise<Patient> {
  const inner = await freePort()
  const server = name === 'doctor' && pushStreamModule() === undefined ? await startInstead() : undefined
  try {
    const nginx = await startNginx(name, {
      values: { inner, ...(server && { module: 'push_stream' }) },
      adjust(config) {
        const text = changed(config, changes)
        return server ? server.read(text) : text
      },
    })
    return {
      url: nginx.url,
      publish: `http://127.0.0.1:${inner}/pub${name === 'doctor' ? '?id=' : '/'}{channel}`,
      async close() {
        await nginx.close()
        await server?.close()
      },
    }
  } catch (error) {
    await server?.close()
    throw error
  }
}

/** Node's fetch, and a WebSocket that says where its page is from. */
const environment = {
  WebSocket: class extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols, { origin })
    }
  } as unknown as typeof globalThis.WebSocket,
}

/** A diagnosis that does not wait long. */
export const examine = (options: DiagnoseOptions): Promise<Report> =>
  diagnose({ wait: 2500, limits: true, origin, credentials: 'include', environment, ...options })
