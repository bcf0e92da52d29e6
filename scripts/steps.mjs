import { E2E, playwright, vitest } from './runners.mjs'
import { readSizes } from './sizes.mjs'
import { command } from './workspace.mjs'

// Paths that several steps depend on.
const settings = /^(package(-lock)?\.json|vite\.config\.ts|tsconfig.*\.json)$|^scripts\//
const sources = /^packages\/[^/]+\/(src\/|package\.json$)/
const published = /^packages\/[^/]+\/(src\/|[^/]+$)/
/** What tests in Node need without always importing it: they start it, or read it. */
const inNode =
  /^e2e\/(nginx|support)\/|^examples\/(django|php)\/|^packages\/[^/]+\/test\/(support|fixtures)\/|^docs\/(publishing\.md$|(guides|start)\/)/
/** Its samples are compiled. */
const page = /\.md$/
/** What pages and servers of the browser tests are made of; the specs don't import all of it. */
const inBrowsers =
  /^(playground|examples)\/|^docs\/(start\/|guides\/workers)|^e2e\/(page|runtimes|support|matrix|nginx|react-18)\/|^e2e\/playwright|^packages\/core\/test\/(support|fixtures)\//

/**
 * What `npm test` runs, in order.
 *
 * `run({ report, since })`: what Node runs as `args` and `env`, `read` for the tests and `sizes` for the sizes that it
 * reported. With `since`, a commit, it may leave out tests that no change since then can break.
 * `dependsOn`: patterns of the paths that can break it. Without them, any file can.
 * `needs`: steps whose work it uses. Only their breaking stops it, not their complaining, which is exit code 2.
 * `program`: what it can't do without. `live`: parts of it need other programs, and say so. `waits`: it leaves most of the
 * processors to others, so the steps behind it run beside it, up to those of a program.
 */
export const steps = {
  lint: {
    run: () => ({ args: [command('@biomejs/biome', 'biome'), 'check', '--error-on-warnings', '.'] }),
  },
  // Any file may be what a link leads to.
  links: {
    run: () => ({ args: ['scripts/check-links.mjs'] }),
  },
  types: {
    run: () => ({ args: [command('typescript', 'tsc'), '--noEmit'] }),
    dependsOn: [/\.(ts|tsx|mjs|js|json)$/],
  },
  // A program of its own: its pages say which client they have, and some are Vue's.
  'types: playground': {
    run: () => ({ args: [command('vue-tsc'), '--noEmit', '-p', 'playground'] }),
    dependsOn: [settings, sources, /^playground\//],
  },
  prose: {
    run: () => ({ args: ['scripts/release/prose.mjs'] }),
    dependsOn: [settings, /\.md$/],
  },
  knip: {
    run: () => ({ args: ['scripts/release/knip.mjs'] }),
    dependsOn: [settings, /\.(ts|tsx|mjs|cjs|js|vue)$|(^|\/)package\.json$/],
  },
  unit: {
    run: ({ report }) => vitest(report, ['--project', 'unit*']),
    // Some compare guides and configurations with what they describe.
    dependsOn: [settings, /^(packages|e2e\/support|docs)\/|\.md$|^examples\/.*\.conf$|^bench\/charts\.mjs$/],
  },
  integration: {
    run: ({ report, since, files }) => vitest(report, ['--project', 'integration', ...narrowed(since, files)]),
    dependsOn: [settings, inNode, page, /^(packages|e2e)\//],
    live: true,
    waits: true,
  },
  build: {
    run: ({ report }) => measuring(report, 'scripts/build.mjs'),
    dependsOn: [settings, published],
  },
  packages: {
    run: ({ report }) => measuring(report, 'scripts/check-packages.mjs'),
    dependsOn: [settings, published],
    needs: ['build'],
  },
  api: {
    run: () => ({ args: ['scripts/check-api.mjs'] }),
    dependsOn: [settings, sources, /^etc\//],
    needs: ['build'],
  },
  release: {
    run: () => ({ args: ['scripts/release/check.mjs'] }),
    dependsOn: [
      settings,
      /^packages\/[^/]+\/(package\.json|CHANGELOG\.md)$|^\.(github|changeset)\/|^(SECURITY|CODE_OF_CONDUCT)\.md$/,
    ],
  },
  docs: {
    run: () => ({ args: ['scripts/docs.mjs', 'build'] }),
    dependsOn: [settings, sources, /\.md$|^docs\//],
  },
  // Against the packages as they are built, as a copy of them is.
  'types: examples': {
    run: () => ({ args: [command('vue-tsc'), '--build', '--noEmit', 'examples'] }),
    dependsOn: [settings, sources, /^examples\/.*\.(tsx?|vue|json)$/],
    needs: ['build'],
  },
  jest: {
    run: () => ({ args: ['e2e/jest/run.mjs'] }),
    dependsOn: [settings, sources, /^e2e\/jest\/|^packages\/react\/test\/guide\//],
    needs: ['build'],
  },
  runtimes: {
    run: () => ({ args: ['e2e/runtimes/run.mjs'] }),
    dependsOn: [settings, sources, /^e2e\/runtimes\//],
    needs: ['build'],
  },
  'browser: chromium': browser('chromium'),
  'browser: firefox': browser('firefox'),
}

/** Which integration tests the changed files can break, as arguments: none stand for all tests. */
function narrowed(since, files) {
  if (since === undefined || matches([settings, sources, inNode], files)) return []
  if (!matches([page], files)) return [`--changed=${since}`, '--passWithNoTests']
  // Tests that read a page don't import it, so no change leads to them.
  return files.every((file) => page.test(file)) ? ['samples'] : []
}

/** A script that measures sizes, and where it leaves them. */
function measuring(report, script) {
  return { args: [script], env: { SIZES_REPORT: report }, sizes: () => readSizes(report) }
}

function browser(name) {
  const pages = [settings, sources, inBrowsers]
  return {
    run: ({ report, since, files }) => {
      const specsAlone = since !== undefined && !matches(pages, files)
      return playwright(report, name, specsAlone ? [`--only-changed=${since}`] : [])
    },
    dependsOn: [...pages, /^e2e\/[^/]+\.spec\.ts$/],
    program: name,
    config: E2E,
  }
}

/** Whether one of these files can break a step. */
export const concerns = ({ dependsOn }, files) =>
  dependsOn === undefined ? files.length > 0 : matches(dependsOn, files)

const matches = (patterns, files) => files.some((file) => patterns.some((pattern) => pattern.test(file)))
