import { spawnSync } from 'node:child_process'
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

/** A Python with django-eventstream, which no package of Debian has, and a server for it: `uvicorn` or `daphne`. */
function findEventstream(server = 'uvicorn') {
  const python = process.env.DJANGO_EVENTSTREAM_PYTHON_PATH || find('python')
  if (python === undefined) return undefined
  const found = ['django_eventstream', server].map((name) => `u.find_spec('${name}')`).join(' and ')
  const test = `import sys, importlib.util as u; sys.exit(not (${found}))`
  return spawnSync(python, ['-c', test], { stdio: 'ignore' }).status === 0 ? python : undefined
}

/**
 * What `npm run example` starts.
 *
 * `packages`: the packages that it uses. `programs`: programs it needs besides nginx with Nchan. `lacks(server)`: what
 * else is missing, in words; by default for the server that it starts. `prepare()`: a command that has to end before.
 * `start(port)`: the command that starts its application. `withoutNginx`: it can do without nginx, by the development
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
  'django-eventstream': {
    packages: ['core'],
    lacks: (server) =>
      findEventstream(server) === undefined
        ? 'django-eventstream. Install examples/django-eventstream/requirements.txt, and set DJANGO_EVENTSTREAM_PYTHON_PATH to that Python'
        : undefined,
    prepare: () => [findEventstream(), 'manage.py', 'migrate', '--verbosity', '0'],
    start: (port) => [
      findEventstream(),
      '-m',
      'uvicorn',
      '--port',
      `${port}`,
      '--log-level',
      'warning',
      'news.asgi:application',
    ],
  },
}
