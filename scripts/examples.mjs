import { find } from './system.mjs'
import { command } from './workspace.mjs'

const startVite = (port) => [
  process.execPath,
  command('vite'),
  '--host',
  '127.0.0.1',
  '--port',
  `${port}`,
  '--strictPort',
]

/**
 * What `npm run example` starts.
 *
 * `packages`: the packages that it uses. `programs`: programs it needs besides nginx with Nchan.
 * `prepare()`: a command that has to end before. `start(port)`: the command that starts its application. `withoutNginx`: it can do without nginx, by the development
 * server, and what the page's address ends with then.
 */
export const examples = {
  plain: { packages: ['core', 'devserver'], withoutNginx: '?module' },
  express: { packages: ['core', 'publisher'], start: () => [process.execPath, 'server.js'] },
  django: {
    packages: ['core'],
    programs: ['django'],
    prepare: () => [find('django'), 'manage.py', 'migrate', '--verbosity', '0'],
    start: (port) => [find('django'), 'manage.py', 'runserver', '--noreload', `127.0.0.1:${port}`],
  },
  php: {
    packages: ['core'],
    programs: ['php'],
    start: (port) => [find('php'), '-S', `127.0.0.1:${port}`, '-t', 'public', 'public/index.php'],
  },
  'react-dashboard': { packages: ['core', 'devserver', 'react'], start: startVite },
  'vue-chat': { packages: ['core', 'devserver', 'vue'], start: startVite },
}
