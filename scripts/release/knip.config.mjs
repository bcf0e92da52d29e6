// What knip takes for used without an import: what is published, started by a script or loaded by a page. All else is either
// reached from there or not used.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { packages, root } from '../workspace.mjs'

/** Folders of the root that have a manifest of their own. */
const installedIn = (folder) => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  return Object.keys({ ...dependencies, ...devDependencies })
}

const packageWorkspaces = packages().map(({ path, entries, scripts }) => [
  relative(root, path),
  {
    entry: [
      ...[...Object.values(entries), ...Object.values(scripts)].map((file) => relative(path, file)),
      'test/**/*.test.{ts,tsx}',
    ],
    project: ['{src,test}/**/*.{ts,tsx}', '!src/**/*.production.ts'],
    // The tests use each other's packages. What a package needs when it is installed is checked by the step `packages`.
    ignoreDependencies: ['@pushstream/.*'],
  },
])

export default {
  workspaces: {
    '.': {
      entry: [
        'bench/capacity.mjs',
        'bench/page/{index,peers}.mjs',
        'e2e/{jest,matrix,runtimes,soak}/run.mjs',
        'e2e/jest/transform.cjs',
        'e2e/page/*.{js,ts}',
        'e2e/runtimes/{browser,process}.mjs',
        'e2e/soak/main.ts',
        'scripts/{build,check-api,check-commits,check-packages,example-devserver}.mjs',
        'scripts/consumers/*.ts',
        'scripts/release/{changelog.cjs,check.mjs,knip.mjs,knip.config.mjs,prose.mjs}',
      ],
      project: [
        'bench/**/*.{js,mjs,ts}',
        'e2e/**/*.{cjs,js,mjs,ts}',
        'scripts/*.mjs',
        'scripts/{consumers,release,test}/**/*.{cjs,mjs,ts}',
      ],
      playwright: {
        config: ['e2e/playwright.config.ts', 'e2e/matrix/playwright.config.ts'],
        entry: ['e2e/**/*.spec.ts'],
      },
      vitest: { config: ['vite.config.ts'], entry: ['{e2e,scripts/test}/**/*.test.ts'] },
      // Started as a program, copied into a page, what the bench compares, and what an application of scripts/frameworks or
      // examples has.
      ignoreDependencies: [
        '@arethetypeswrong/cli',
        '@vitejs/plugin-react',
        'jquery',
        ...installedIn('bench'),
        ...installedIn('scripts/release'),
        'engine.io-client',
        'reconnecting-websocket',
        'jest-environment-jsdom',
      ],
    },
    ...Object.fromEntries(packageWorkspaces),
    playground: { entry: ['**/*.{html,ts,tsx,js,vue}'], project: ['**/*.{ts,tsx,js}'] },
    'e2e/react-18': { ignoreDependencies: ['react', 'react-dom'] },
  },
  // A type that only its own file uses may be exported to be named.
  ignoreExportsUsedInFile: { interface: true, type: true },
  rules: { optionalPeerDependencies: 'off' },
}
