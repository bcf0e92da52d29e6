/**
 * How to run npm, for `spawnSync` and `execFile`. npm is a script of its own on some systems and not to be started without
 * a shell on others.
 */
export function npmCommand(...args) {
  const script = process.env.npm_execpath
  return script?.endsWith('.js')
    ? { program: process.execPath, args: [script, ...args], shell: false }
    : { program: 'npm', args, shell: process.platform === 'win32' }
}
