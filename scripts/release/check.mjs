// Checks what is only used outside of this repository: GitHub's forms and workflows.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../npm-packages.mjs'
import { root } from '../workspace.mjs'
import { problemsOfForm, problemsOfText, problemsOfWorkflow } from './github.mjs'

installPackages(fileURLToPath(new URL('.', import.meta.url)))
const { parse } = await import('yaml')

const read = (path) => readFileSync(join(root, path), 'utf8')

function checkGithub() {
  const scripts = Object.keys(JSON.parse(read('package.json')).scripts)
  const exists = (path) => existsSync(join(root, path))
  const yamlIn = (folder) => readdirSync(join(root, folder)).map((file) => [file, parse(read(`${folder}/${file}`))])
  const texts = readdirSync(join(root, '.github'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
  return [
    ...yamlIn('.github/ISSUE_TEMPLATE')
      .filter(([file]) => file !== 'config.yml')
      .flatMap(([file, form]) => problemsOfForm(file, form)),
    ...yamlIn('.github/workflows').flatMap(([file, flow]) => problemsOfWorkflow(file, flow, { scripts, exists })),
    ...[...texts, 'SECURITY.md', 'CODE_OF_CONDUCT.md'].flatMap((file) => problemsOfText(file, read(file))),
  ]
}

const problems = checkGithub()
for (const problem of problems) console.error(`✗ ${problem}`)
if (problems.length === 0) console.log('GitHub: the forms and workflows are in order')
process.exitCode = problems.length > 0 ? 1 : 0
