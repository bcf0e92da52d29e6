// Circles in every package, and the layers of core. One file checks both, because both read the same imports and only
// core has layers.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  circles,
  graphOf,
  reachable,
  readGraph,
  relativeImports,
  unpermitted,
  violations,
} from './support/import-graph.js'

const packages = new URL('../../../', import.meta.url)
const sourcesOf = (name: string) => readGraph(fileURLToPath(new URL(`${name}/src/`, packages)))

/** From the top. A file imports from its own folder and from lower layers, never from the rest of its layer. */
const layers = [
  // Nothing imports them: they take the places of others in the production build.
  ['symptoms.production.ts', 'validate.production.ts'],
  ['index.ts', 'scripts/', 'testing.ts'],
  ['shared.ts'],
  ['classic/', 'diagnose/', 'eventsource/', 'persist/', 'share/', 'store/', 'updates/', 'register.ts'],
  ['inspect.ts', 'messages.ts', 'push-stream.ts', 'schema.ts', 'send-message.ts'],
  ['client.ts'],
  ['announcer.ts'],
  ['internals.ts', 'modes.ts', 'notices.ts', 'troubleshooting.ts'],
  ['session/'],
  ['options.ts', 'status.ts'],
  ['transports/', 'protocols/'],
  ['delivery/', 'events.ts'],
  ['message.ts', 'validate.ts', 'emitter.ts'],
  ['symptoms.ts'],
  ['environment.ts', 'errors.ts', 'header.ts', 'position.ts'],
  ['types.ts'],
  ['platform.ts'],
]

/** Which files of protocols/ may be imported from outside it, and by whom. */
const protocolImports = {
  // The interface.
  'protocols/protocol.ts': ['index.ts', 'options.ts', 'session/', 'classic/', 'diagnose/', 'updates/'],
  // The default protocol. Its settings are options of the client.
  'protocols/push-stream-undelimited.ts': ['diagnose/', 'modes.ts'],
  'protocols/push-stream.ts': ['index.ts', 'shared.ts', 'options.ts', 'testing.ts', 'classic/', 'updates/'],
  // The other servers: an application ships them only if it imports them.
  'protocols/nchan.ts': ['index.ts', 'scripts/'],
  'protocols/django-eventstream.ts': ['index.ts'],
  // What other relays have in common with Nchan.
  'protocols/address.ts': ['updates/'],
  'protocols/nchan-answers.ts': ['updates/'],
  'protocols/nchan-endings.ts': ['updates/'],
  'protocols/nchan-ids.ts': ['updates/'],
  'protocols/poll-scheduler.ts': ['updates/'],
  // For the scripts that are loaded after pushstream.js.
  'protocols/names.ts': ['shared.ts'],
  // A helper for regular expressions, the value of a public option, and the type of one.
  'protocols/form.ts': ['classic/'],
  'protocols/template.ts': ['index.ts', 'scripts/', 'shared.ts', 'classic/', 'updates/'],
  'protocols/text.ts': ['index.ts'],
}

/** At most so many lines has a source file. */
const longest = 300

const graph = (sources: Record<string, string>) => graphOf(new Map(Object.entries(sources)))

describe('the sources', () => {
  it.each(readdirSync(packages))('%s → no circle', (name) => {
    expect(circles(sourcesOf(name))).toEqual([])
  })

  it.each(readdirSync(packages))('%s → no file is too long', (name) => {
    const lines = (file: string) =>
      readFileSync(new URL(`${name}/src/${file}`, packages), 'utf8')
        .trimEnd()
        .split('\n').length
    const files = [...sourcesOf(name).keys()]
    expect(files.filter((file) => lines(file) > longest)).toEqual([])
  })

  it('the layers of core → every import leads down', () => {
    expect(violations(sourcesOf('core'), layers)).toEqual([])
  })

  it.each(['client.ts', 'session/', 'delivery/'])('%s → compares no mode by its name', (place) => {
    // `polls` is how a server is asked, which is not a mode.
    const compared = /(?<!polls )[!=]== '(websocket|eventsource|stream|longpolling)'/
    const files = [...sourcesOf('core').keys()].filter((file) => file.startsWith(place))
    const text = (file: string) => readFileSync(new URL(`core/src/${file}`, packages), 'utf8')
    expect(files.filter((file) => compared.test(text(file)))).toEqual([])
  })

  it('the protocols of core → imported only by permission, and every permission is used', () => {
    expect(unpermitted(sourcesOf('core'), 'protocols/', protocolImports)).toEqual([])
  })

  it.each([
    ['push-stream.ts', 'push-stream'],
    ['protocols/nchan.ts', 'nchan'],
    ['protocols/django-eventstream.ts', 'django-eventstream'],
  ])('%s → reaches no protocol but %s', (file, own) => {
    const found = reachable(sourcesOf('core'), file)
    const protocols = ['push-stream', 'nchan', 'django-eventstream']
    expect(protocols.filter((name) => found.has(`protocols/${name}.ts`))).toEqual([own])
  })
})

describe('relativeImports', () => {
  it.each([
    ['import { a } from "./a.js"'],
    ["import type { A } from './a.js'"],
    ["import type A from\n  './a.js'"],
    ["import { b, type A } from './a.js'"],
    ["import './a.js'"],
    ["export * from './a.js'"],
    ["export type { A } from './a.js'"],
    ["const a = await import('./a.js')"],
    ["type A = import('./a.js').A"],
  ])('%s → found', (source) => {
    expect(relativeImports(source)).toEqual(['./a.js'])
  })

  it.each([
    ["import { a } from 'a'"],
    ["// import { a } from './a.js'"],
    ["/** {@link import('./a.js').A} */"],
    [`const a = "import { a } from './a.js'"`],
  ])('%s → not one', (source) => {
    expect(relativeImports(source)).toEqual([])
  })
})

describe('the checks of a graph', () => {
  it('two files that import each other → the circle, even if one imports only a type', () => {
    const found = circles(
      graph({
        'a.ts': "import './b/c.js'",
        'b/c.ts': "import '../d.js'",
        'd.tsx': "import type { C } from './b/c.js'",
      }),
    )
    expect(found).toEqual(['b/c.ts → d.tsx → b/c.ts'])
  })

  it('two ways to the same file → no circle', () => {
    const found = circles(graph({ 'a.ts': "import './b.js'\nimport './c.js'", 'b.ts': "import './c.js'", 'c.ts': '' }))
    expect(found).toEqual([])
  })

  it('an import of something that is not a source of the package → an error that names both', () => {
    expect(() => graph({ 'a.ts': "import '../../other/src/b.js'" })).toThrow(
      "a.ts imports '../../other/src/b.js', which is not a source of the same package",
    )
  })

  it('an import against the layers, or within one → a line that says where', () => {
    const sources = {
      'top.ts': "import './left/a.js'",
      'left/a.ts': "import './b.js'\nimport '../right/c.js'",
      'left/b.ts': "import '../low.js'",
      'right/c.ts': '',
      'low.ts': "import type { B } from './left/b.js'",
    }
    expect(violations(graph(sources), [['top.ts'], ['left/', 'right/'], ['low.ts']])).toEqual([
      'left/a.ts imports right/c.ts, but right/ is in the same layer as left/',
      'low.ts imports left/b.ts, but left/ lies above low.ts',
    ])
  })

  it('a new file, or a removed one → a line that asks for the table', () => {
    expect(violations(graph({ 'new.ts': '' }), [['old.ts']])).toEqual([
      'new.ts is in no layer',
      'old.ts is in a layer but does not exist',
    ])
  })

  it('a permission that is missing, or no longer needed → a line each', () => {
    const sources = {
      'a.ts': "import './protocols/x.js'",
      'b.ts': "import './protocols/x.js'",
      'protocols/x.ts': "import './y.js'",
      'protocols/y.ts': '',
    }
    expect(unpermitted(graph(sources), 'protocols/', { 'protocols/x.ts': ['a.ts', 'c.ts'] })).toEqual([
      'b.ts imports protocols/x.ts, which is not permitted to b.ts',
      'c.ts does not import protocols/x.ts: remove its permission',
    ])
  })

  it('a file imported by an import → reachable; one that imports → not', () => {
    const sources = { 'a.ts': "import './b.js'", 'b.ts': "import './c.js'", 'c.ts': '', 'd.ts': "import './a.js'" }
    expect([...reachable(graph(sources), 'a.ts')]).toEqual(['a.ts', 'b.ts', 'c.ts'])
  })
})
