import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { appendFile, chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { accepting, Daemon } from './daemon.js'
import { program } from './programs.js'

const run = promisify(execFile)
const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

interface Block {
  readonly language: string
  /** The file that the reader writes it to. */
  readonly file: string | undefined
  readonly text: string
}

/** What a test does otherwise than the reader: each text is in the guide, and another one stands in its place. */
export type Changes = readonly (readonly [from: string, to: string])[]

interface GuideOptions {
  /** The changes, for a folder. */
  changes(folder: string): Changes
  /** Where its folder is made. Default: where the system has temporary files. */
  parent?: string
  /** A folder of installed packages, which stand for what the guide installs. */
  packages?: string
}

/** What the reader of a guide does, in a folder of its own, with the guide's files and commands. */
export class Guide {
  readonly folder: string
  /** All of it, as it is written. */
  readonly text: string
  readonly #blocks: readonly Block[]
  readonly #changes: Changes

  private constructor(folder: string, text: string, changes: Changes) {
    this.folder = folder
    this.text = text
    this.#blocks = [...text.matchAll(/^```(\w+)(?: \[(.+)\])?\n([^]*?)^```$/gm)].map(
      ([, language = '', file, code = '']) => ({ language, file, text: code }),
    )
    this.#changes = changes
  }

  /** Opens a guide of docs, such as `start/nchan`. */
  static async open(name: string, { changes, parent = tmpdir(), packages }: GuideOptions): Promise<Guide> {
    const text = readFileSync(at(`docs/${name}.md`), 'utf8')
    const folder = await mkdtemp(join(parent, `pushstream-${basename(name)}-`))
    // The workers of nginx may run as another user.
    await chmod(folder, 0o755)
    if (packages !== undefined) await cp(packages, join(folder, 'node_modules'), { recursive: true })
    const made = changes(folder)
    for (const [from] of made) if (!text.includes(from)) throw new Error(`docs/${name}.md has no '${from}'`)
    return new Guide(folder, text, made)
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }

  #changed(text: string): string {
    return this.#changes.reduce((all, [from, to]) => all.replaceAll(from, to), text)
  }

  /** A file of the guide, with the changes. */
  file(name: string): string {
    const found = this.#blocks.filter(({ file }) => file === name)
    if (found.length !== 1) throw new Error(`the guide has ${found.length} blocks for ${name}`)
    return this.#changed((found[0] as Block).text)
  }

  /** Writes files as the guide says. What a program has made already is appended to, unless the guide has all of it. */
  async write(...names: string[]): Promise<void> {
    for (const name of names) {
      const changed = this.#changed(name)
      const path = changed.startsWith('/') ? changed : join(this.folder, changed)
      const appended = existsSync(path) && this.text.includes(`Append this to \`${name}\``)
      await mkdir(dirname(path), { recursive: true })
      await (appended ? appendFile : writeFile)(path, this.file(name))
    }
  }

  /** The block of a language that contains a text, with the changes. */
  block(language: string, containing: string): string {
    const found = this.#blocks.filter((one) => one.language === language && one.text.includes(containing))
    if (found.length !== 1) throw new Error(`the guide has ${found.length} blocks of ${language} with ${containing}`)
    return this.#changed((found[0] as Block).text)
  }

  /** All commands of the guide, with the changes. */
  get commands(): string[] {
    const shell = this.#blocks.filter(({ language }) => language === 'sh')
    return shell.flatMap(({ text }) => this.#changed(text).trim().split('\n'))
  }

  /** The only command that matches. */
  command(pattern: RegExp): string {
    const found = this.commands.filter((line) => pattern.test(line))
    if (found.length !== 1) throw new Error(`the guide has ${found.length} commands like ${pattern}`)
    return found[0] as string
  }

  /**
   * A command for a shell. Nothing needs root here, and what npx would fetch is installed: it would not pass a signal on.
   */
  #shell(pattern: RegExp): string[] {
    const python = process.env.DJANGO_EVENTSTREAM_PYTHON_PATH || program('python')
    const own = [program('curl'), python].filter((found) => found !== undefined)
    const PATH = [...own.map((path) => dirname(path)), at('node_modules/.bin'), process.env.PATH].join(delimiter)
    const command = this.command(pattern).replace(/^(?:sudo|npx) /, '')
    return ['-c', `PATH="$1"; export PATH; exec ${command}`, 'sh', PATH]
  }

  /** Runs a command as it is written. */
  async run(pattern: RegExp): Promise<void> {
    await run('sh', this.#shell(pattern), { cwd: this.folder })
  }

  /** Starts a server by a command as it is written. Resolves when it accepts connections. */
  async serve(pattern: RegExp, port: number): Promise<Daemon> {
    const daemon = await Daemon.start('sh', this.#shell(pattern), { cwd: this.folder })
    await accepting(port, () => daemon.running)
    return daemon
  }
}
