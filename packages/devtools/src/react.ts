'use client'

import { usePushStream } from '@pushstream/react'
import { useEffect } from 'react'
import { mountDevtools } from './mount.js'
import type { DevtoolsOptions } from './options.js'

/**
 * The devtools for the client of the nearest `<PushStreamProvider>`: `<PushStreamDevtools />`. Its properties are read when
 * it is mounted. In a build for production it is empty.
 *
 * @example
 * ```tsx
 * import { PushStreamDevtools } from '@pushstream/devtools/react'
 * import { PushStreamProvider } from '@pushstream/react'
 *
 * export const App = () => (
 *   <PushStreamProvider>
 *     <PushStreamDevtools open />
 *   </PushStreamProvider>
 * )
 * ```
 */
export function PushStreamDevtools(options: DevtoolsOptions): null {
  const client = usePushStream()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the options say how it begins
  useEffect(() => mountDevtools(client, options), [client])
  return null
}
