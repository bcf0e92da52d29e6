import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Application } from 'typedoc'
import { load } from 'typedoc-plugin-markdown'
import { root } from '../../scripts/workspace.mjs'
import { modules, SCOPE } from './modules.mjs'

/** The folder of the API reference. It is generated, so the repository does not have it. */
const folder = join(root, 'docs/reference/api')

/** Writes a page for each public module: its declarations and their comments. */
export async function writeApi() {
  const app = await Application.bootstrapWithPlugins({
    plugin: [load],
    outputs: [{ name: 'markdown', path: folder }],
    entryPoints: [...modules.values()],
    tsconfig: join(root, 'tsconfig.json'),
    // The step `types` checks them.
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    disableSources: true,
    readme: 'none',
    entryFileName: 'index',
    router: 'module',
    hidePageHeader: true,
    hideBreadcrumbs: true,
    pageTitleTemplates: { index: 'API', module: '{name}' },
    useHTMLAnchors: true,
    anchorPrefix: 'api-',
    useCodeBlocks: true,
    sanitizeComments: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    enumMembersFormat: 'table',
    logLevel: 'Error',
  })
  const project = await app.convert()
  // TypeDoc names a module by the path of its source.
  for (const one of project.children) one.name = SCOPE + one.name.replace(/\/src\b/, '')
  const missing = [...modules.keys()].filter((name) => project.children.every((one) => one.name !== name))
  if (missing.length > 0) throw new Error(`The API reference lacks ${missing.join(', ')}.`)
  rmSync(folder, { recursive: true, force: true })
  await app.generateOutputs(project)
  if (app.logger.hasErrors()) throw new Error('The API reference could not be generated.')
}
