import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Packages resolve to their sources everywhere in this repository, so that nothing needs a build to be tried. */
export const alias = {
  '@pushstream/core/classic': at('./packages/core/src/classic/index.ts'),
  '@pushstream/core/diagnose': at('./packages/core/src/diagnose/index.ts'),
  '@pushstream/core/inspect': at('./packages/core/src/inspect.ts'),
  '@pushstream/core/share': at('./packages/core/src/share/index.ts'),
  '@pushstream/core/store': at('./packages/core/src/store/index.ts'),
  '@pushstream/core/testing': at('./packages/core/src/testing.ts'),
  '@pushstream/core/persist': at('./packages/core/src/persist/index.ts'),
  '@pushstream/core': at('./packages/core/src/index.ts'),
  '@pushstream/devtools/react': at('./packages/devtools/src/react.ts'),
  '@pushstream/devtools/vue': at('./packages/devtools/src/vue.ts'),
  '@pushstream/devtools': at('./packages/devtools/src/index.ts'),
  '@pushstream/devserver/vite': at('./packages/devserver/src/vite.ts'),
  '@pushstream/devserver': at('./packages/devserver/src/index.ts'),
  '@pushstream/publisher/auth': at('./packages/publisher/src/auth.ts'),
  '@pushstream/publisher': at('./packages/publisher/src/index.ts'),
  '@pushstream/react': at('./packages/react/src/index.ts'),
  '@pushstream/vue': at('./packages/vue/src/index.ts'),
  '@pushstream/testkit/client': at('./packages/testkit/src/client.ts'),
  '@pushstream/testkit': at('./packages/testkit/src/index.ts'),
}

/** The older React that the bindings support, instead of the newest. */
export const react18 = [
  { find: /^(react(?:-dom)?)(\/.*)?$/, replacement: at('./e2e/react-18/node_modules/$1$2') },
  ...Object.entries(alias).map(([find, replacement]) => ({ find, replacement })),
]

/**
 * No sockets and no waiting. Files share a thread, as one of its own for each would take longer than the tests; `alone`
 * is for those that put a document into the global scope.
 */
function unit(
  name: string,
  packages: string,
  options: { alone?: boolean; resolved?: typeof react18; include?: readonly string[] } = {},
) {
  const { alone = false, resolved = alias, include = ['unit/**/*'] } = options
  return {
    resolve: { alias: resolved },
    test: {
      name,
      include: include.map((path) => `packages/${packages}/test/${path}.test.{ts,tsx}`),
      testTimeout: 10_000,
      pool: 'threads',
      isolate: alone,
    },
  } satisfies TestProjectInlineConfiguration
}

const wholeClients = [
  'classic*',
  'composed',
  'isolation',
  'late-history',
  'plain-names',
  'pool',
  'scarce',
  'store',
  'together',
  'unnumbered',
  'updates',
  'urls',
]
const { production }: { production: Plugin } = await import(new URL('./scripts/production.mjs', import.meta.url).href)

/**
 * The client as production builds ship it: what is only found there, and the unit tests of whole clients, which have to be
 * the same.
 */
const unitProduction = {
  ...unit('unit-production', 'core', { include: ['production/*', ...wholeClients.map((name) => `unit/${name}`)] }),
  plugins: [production],
}

/** The tests in the guides to component tests, as their readers run them. */
const guide = (environment: 'jsdom' | 'happy-dom') =>
  ({
    plugins: [vue()],
    resolve: { alias },
    test: {
      name: `unit-${environment}`,
      environment,
      include: ['packages/*/test/guide/*.test.{ts,tsx}'],
      testTimeout: 60_000,
    },
  }) satisfies TestProjectInlineConfiguration

/** What the scripts of this repository decide, with the programs that they run replaced. */
const scripts: TestProjectInlineConfiguration = {
  test: {
    name: 'unit-scripts',
    include: ['scripts/test/*.test.ts'],
    exclude: ['**/*.integration.test.ts'],
    pool: 'threads',
    isolate: false,
  },
}

/** Real sockets and real servers, each test its own. They wait most of the time, so many files run side by side. */
const integration: TestProjectInlineConfiguration = {
  resolve: { alias },
  test: {
    name: 'integration',
    include: [
      'packages/*/test/integration/**/*.test.{ts,tsx}',
      'e2e/{support,matrix}/*.test.ts',
      'scripts/test/*.integration.test.ts',
    ],
    testTimeout: 60_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 4,
    // After the unit tests, which need both cores.
    sequence: { groupOrder: 1 },
  },
}

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      unit('unit', '{core,devserver,doctor,publisher,testkit}'),
      unit('unit-react', 'react', { alone: true }),
      unit('unit-react-18', 'react', { alone: true, resolved: react18 }),
      unitProduction,
      unit('unit-vue', 'vue', { alone: true }),
      guide('jsdom'),
      guide('happy-dom'),
      unit('unit-devtools', 'devtools', { alone: true }),
      scripts,
      integration,
    ],
  },
})
