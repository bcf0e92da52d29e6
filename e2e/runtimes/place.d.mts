import type { IncomingMessage, ServerResponse } from 'node:http'
import type { createDevServer } from '@pushstream/devserver'
import type { createFaultProxy } from '@pushstream/testkit'

export function startPlace(
  modules: { createDevServer: typeof createDevServer; createFaultProxy: typeof createFaultProxy },
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly url: string; close(): Promise<void> }>
