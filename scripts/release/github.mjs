// What GitHub would only say after a push, in a place where hardly anyone looks: a form that it does not show, a workflow that
// names a script that is gone.

/** What a form needs, so that a report can be answered without asking back. */
const asked = {
  'bug.yml': ['doctor', 'server', 'server-version', 'client-version', 'browser'],
}
const kinds = ['markdown', 'input', 'textarea', 'dropdown', 'checkboxes']

/** The problems of an issue form, a parsed file of `.github/ISSUE_TEMPLATE`. */
export function problemsOfForm(file, form) {
  const problems = []
  for (const key of ['name', 'description']) if (!form?.[key]) problems.push(`has no ${key}`)
  const body = Array.isArray(form?.body) ? form.body : []
  const questions = body.filter(({ type }) => type !== 'markdown')
  if (questions.length === 0) problems.push('asks nothing')
  for (const { type } of body) if (!kinds.includes(type)) problems.push(`has an element of the unknown type '${type}'`)
  const seen = new Set()
  for (const { id, type, attributes } of questions) {
    if (!/^[\w-]+$/.test(id ?? '')) problems.push(`has a question with the id '${id}'`)
    if (seen.has(id)) problems.push(`has two questions with the id '${id}'`)
    seen.add(id)
    if (!attributes?.label) problems.push(`'${id}' has no label`)
    if (/dropdown|checkboxes/.test(type) && !(attributes?.options?.length > 0)) problems.push(`'${id}' has no options`)
  }
  for (const id of asked[file] ?? []) {
    const found = questions.find((question) => question.id === id)
    if (found === undefined) problems.push(`does not ask for '${id}'`)
    else if (found.validations?.required !== true) problems.push(`'${id}' is not required`)
  }
  return problems.map((problem) => `${file} ${problem}`)
}

/**
 * The problems of a workflow, a parsed file of `.github/workflows`. `scripts`: the names in the manifest.
 * `exists`: whether the repository has a file.
 */
export function problemsOfWorkflow(file, workflow, { scripts, exists }) {
  const problems = []
  if (workflow?.permissions === undefined) problems.push('does not limit its permissions')
  for (const [name, job] of Object.entries(workflow?.jobs ?? {})) {
    if (job['timeout-minutes'] === undefined) problems.push(`'${name}' has no limit of time`)
    for (const { uses, run = '' } of job.steps ?? []) {
      if (uses !== undefined && !/@(v\d+|[0-9a-f]{40})$/.test(uses)) problems.push(`uses ${uses} without a version`)
      for (const [, script] of run.matchAll(/\bnpm (?:run (?:-s )?)?((?!ci\b)[\w:]+)/g)) {
        if (!scripts.includes(script)) problems.push(`runs 'npm run ${script}', which is not in package.json`)
      }
      for (const [path] of run.matchAll(/(?<![\w/])(?:scripts|\.ci)\/[\w./-]+/g)) {
        if (!exists(path)) problems.push(`runs ${path}, which does not exist`)
      }
    }
  }
  return problems.map((problem) => `${file} ${problem}`)
}

/** The repository may be anywhere, so a file that names an address of it is wrong somewhere. */
export function problemsOfText(file, text) {
  const addresses = [...text.matchAll(/https?:\/\/(?![\w.-]*\.example\b)[^\s)'"`>]+/g)].map(([address]) => address)
  return addresses.map((address) => `${file} names ${address}`)
}
