import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Packages resolve to their sources everywhere in this repository, so that nothing needs a build to be tried. */
export const alias = {
  '@pushstream/core/store': at('./packages/core/src/store/index.ts'),
  '@pushstream/core': at('./packages/core/src/index.ts'),
  '@pushstream/devserver/vite': at('./packages/devserver/src/vite.ts'),
  '@pushstream/devserver': at('./packages/devserver/src/index.ts'),
  '@pushstream/publisher/auth': at('./packages/publisher/src/auth.ts'),
  '@pushstream/publisher': at('./packages/publisher/src/index.ts'),
  '@pushstream/react': at('./packages/react/src/index.ts'),
  '@pushstream/vue': at('./packages/vue/src/index.ts'),
  '@pushstream/testkit': at('./packages/testkit/src/index.ts'),
}

/** The older React that the bindings support, instead of the newest. */
export const react18 = [
  { find: /^(react(?:-dom)?)(\/.*)?$/, replacement: at('./e2e/react-18/node_modules/$1$2') },
  ...Object.entries(alias).map(([find, replacement]) => ({ find, replacement })),
]

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        resolve: { alias },
        test: { name: 'unit', include: ['packages/*/test/unit/**/*.test.{ts,tsx}'], testTimeout: 10_000 },
      },
      {
        resolve: { alias: react18 },
        test: { name: 'unit-react-18', include: ['packages/react/test/unit/**/*.test.{ts,tsx}'], testTimeout: 10_000 },
      },
      {
        resolve: { alias },
        test: {
          name: 'integration',
          include: ['packages/*/test/integration/**/*.test.{ts,tsx}', 'e2e/{support,matrix}/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 30_000,
          // Real sockets and a rate of messages: beside each other on two cores they would measure each other.
          fileParallelism: false,
        },
      },
    ],
  },
})
