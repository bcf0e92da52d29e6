// Compares what every entry of the packages exports with the reports in etc, so that a change of the public API is seen in
// the change itself. Needs a build.
//
//   node scripts/check-api.mjs            what differs
//   node scripts/check-api.mjs --update   writes the reports
import './node-version.mjs'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { installPackages } from './npm-packages.mjs'
import { differences, reportName } from './release/api.mjs'
import { packages, root } from './workspace.mjs'

const tools = join(root, 'scripts/release')
const folder = join(root, 'etc')

/** The declarations of each entry, by the name of its report. */
function entries() {
  const typed = packages().flatMap(({ path, manifest }) =>
    Object.entries(manifest.exports)
      .filter(([, target]) => target.types !== undefined)
      .map(([entry, target]) => [
        reportName(basename(path), entry),
        path,
        join(path, target.require?.types ?? target.types),
      ]),
  )
  const missing = typed.find(([, , file]) => !existsSync(file))
  if (missing !== undefined) throw new Error(`${missing[2]} is missing: npm run build`)
  return typed
}

/** The report of each entry, by its name, and what is wrong with the declarations. */
function extract(workplace) {
  const { CompilerState, Extractor, ExtractorConfig } = createRequire(join(tools, 'x'))('@microsoft/api-extractor')
  const all = entries()
  const configs = all.map(([name, path, file]) =>
    ExtractorConfig.prepare({
      configObject: configOf(name, path, file, workplace),
      configObjectFullPath: undefined,
      packageJsonFullPath: join(path, 'package.json'),
    }),
  )
  const compilerState = CompilerState.create(configs[0], { additionalEntryPoints: all.map(([, , file]) => file) })
  const problems = []
  for (const config of configs) {
    const messageCallback = (message) => {
      message.handled = true
      if (message.logLevel === 'error') problems.push(`${config.reportFilePath}: ${message.text}`)
    }
    Extractor.invoke(config, { compilerState, localBuild: true, messageCallback })
  }
  const reports = Object.fromEntries(all.map(([name]) => [name, readFileSync(join(workplace, name), 'utf8')]))
  return { reports, problems }
}

function configOf(name, path, file, workplace) {
  const silent = { default: { logLevel: 'none' } }
  return {
    projectFolder: path,
    mainEntryPointFilePath: file,
    newlineKind: 'lf',
    compiler: {
      overrideTsconfig: {
        extends: join(root, 'tsconfig.json'),
        compilerOptions: { paths: {}, types: ['node'], skipLibCheck: true },
        files: [file],
        include: [],
      },
    },
    apiReport: {
      enabled: true,
      reportFileName: name,
      reportFolder: workplace,
      reportTempFolder: join(workplace, 'temp'),
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      compilerMessageReporting: { default: { logLevel: 'error' } },
      extractorMessageReporting: silent,
      tsdocMessageReporting: silent,
    },
  }
}

installPackages(tools)
const workplace = mkdtempSync(join(tmpdir(), 'pushstream-api-'))
try {
  mkdirSync(folder, { recursive: true })
  const { reports, problems } = extract(workplace)
  const committed = Object.fromEntries(
    readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
  )
  const found = [...problems, ...differences(committed, reports)]
  if (process.argv.includes('--update')) {
    for (const name of Object.keys(committed)) if (!(name in reports)) rmSync(join(folder, name))
    for (const [name, text] of Object.entries(reports)) writeFileSync(join(folder, name), text)
    console.log(`${Object.keys(reports).length} reports written to etc`)
  } else {
    for (const problem of found) console.error(`✗ ${problem}`)
    if (found.length > 0) console.error('\nIf the change is meant: npm run api, and commit etc.')
    else console.log(`${Object.keys(reports).length} reports in etc are what the packages export`)
  }
  if (problems.length > 0 || (found.length > 0 && !process.argv.includes('--update'))) process.exitCode = 1
} finally {
  rmSync(workplace, { recursive: true, force: true })
}
