import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'

/** The files of a folder, by path below it, and the files that each of them imports. Types count as much as values. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

/** The relative paths that a source names: in `import`, `export … from`, `import()` and `import('…').Type`. */
export function relativeImports(source: string): string[] {
  const { importedFiles } = ts.preProcessFile(source, true, true)
  return [...new Set(importedFiles.map(({ fileName }) => fileName).filter((path) => path.startsWith('.')))]
}

/** Reads the imports of every TypeScript file in a folder. Throws if one leads out of it. */
export function readGraph(folder: string): ImportGraph {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.tsx?$/.test(file))
  return graphOf(new Map(files.sort().map((file) => [file, readFileSync(join(folder, file), 'utf8')])))
}

/** The same for sources by path. */
export function graphOf(sources: ReadonlyMap<string, string>): ImportGraph {
  const resolved = (file: string, path: string) => {
    const target = posix.join(posix.dirname(file), path).replace(/\.js$/, '')
    const found = [`${target}.ts`, `${target}.tsx`].find((candidate) => sources.has(candidate))
    if (found === undefined) throw new Error(`${file} imports '${path}', which is not a source of the same package`)
    return found
  }
  return new Map(
    [...sources].map(([file, source]) => [file, relativeImports(source).map((path) => resolved(file, path))]),
  )
}

/** Circles, as `a.ts → b.ts → a.ts`. Where circles overlap, at least one of them is found. */
export function circles(graph: ImportGraph): string[] {
  const found: string[] = []
  const path: string[] = []
  const done = new Set<string>()
  const visit = (file: string) => {
    const at = path.indexOf(file)
    if (at >= 0) found.push([...path.slice(at), file].join(' → '))
    if (at >= 0 || done.has(file)) return
    path.push(file)
    for (const target of graph.get(file) ?? []) visit(target)
    path.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return found
}

/** Where a file belongs: its folder (`delivery/`), or itself if it is in none. */
const roomOf = (file: string): string => (file.includes('/') ? `${file.split('/')[0]}/` : file)

/**
 * Imports that break the layers, given from the top: a room may import only from itself and from layers below its own.
 * Files without a layer and layers without a file are reported too.
 */
export function violations(graph: ImportGraph, layers: readonly (readonly string[])[]): string[] {
  const depth = new Map(layers.flatMap((rooms, index) => rooms.map((room) => [room, index] as const)))
  const rooms = new Set([...graph.keys()].map(roomOf))
  const found: string[] = []
  for (const room of rooms) if (!depth.has(room)) found.push(`${room} is in no layer`)
  for (const room of depth.keys()) if (!rooms.has(room)) found.push(`${room} is in a layer but does not exist`)
  for (const [file, targets] of graph) {
    for (const target of targets) {
      const [from, to] = [roomOf(file), roomOf(target)]
      const [upper, lower] = [depth.get(from), depth.get(to)]
      if (from === to || upper === undefined || lower === undefined || upper < lower) continue
      const where = upper === lower ? 'is in the same layer as' : 'lies above'
      found.push(`${file} imports ${target}, but ${to} ${where} ${from}`)
    }
  }
  return found
}

/**
 * Imports from outside `folder` of one of its files that are not permitted, and permissions that nothing uses. A
 * permission names a file of the folder and the rooms that may import it.
 */
export function unpermitted(
  graph: ImportGraph,
  folder: string,
  permissions: Readonly<Record<string, readonly string[]>>,
): string[] {
  const used = new Set<string>()
  const found: string[] = []
  for (const [file, targets] of graph) {
    for (const target of targets) {
      const from = roomOf(file)
      if (roomOf(target) !== folder || from === folder) continue
      if (permissions[target]?.includes(from)) used.add(`${from} ${target}`)
      else found.push(`${file} imports ${target}, which is not permitted to ${from}`)
    }
  }
  for (const [target, rooms] of Object.entries(permissions)) {
    for (const from of rooms) {
      if (!used.has(`${from} ${target}`)) found.push(`${from} does not import ${target}: remove its permission`)
    }
  }
  return found
}

/** Every file that a file imports, or that one of those imports, itself included. */
export function reachable(graph: ImportGraph, file: string): ReadonlySet<string> {
  const found = new Set([file])
  // A set also yields what is added to it meanwhile.
  for (const next of found) for (const target of graph.get(next) ?? []) found.add(target)
  return found
}
