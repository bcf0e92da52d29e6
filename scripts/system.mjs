import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Programs of the system that suites need, where they may be, and the Debian packages that bring them: `a|b` is the first
 * of them that there is. With `works`, what a command has to end well with.
 */
const programs = {
  chromium: {
    variable: 'CHROMIUM_PATH',
    // The shell draws no window around a page, which is most of what a short test costs: all of them take 4.5 minutes
    // instead of 7.2. Debian has had it since 2025, others have not.
    packageName: 'chromium-headless-shell|chromium',
    commands: ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
    files: [
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
  },
  firefox: {
    variable: 'FIREFOX_PATH',
    packageName: 'firefox-esr',
    commands: ['firefox-esr', 'firefox'],
    files: ['/Applications/Firefox.app/Contents/MacOS/firefox'],
  },
  nginx: { variable: 'NGINX_PATH', packageName: 'nginx', commands: ['nginx'], files: ['/usr/sbin/nginx'] },
  nchan: {
    variable: 'NCHAN_PATH',
    packageName: 'libnginx-mod-nchan',
    commands: [],
    files: ['/usr/lib/nginx/modules/ngx_nchan_module.so', '/usr/share/nginx/modules/ngx_nchan_module.so'],
  },
  redis: { variable: 'REDIS_PATH', packageName: 'redis-server', commands: ['redis-server'], files: [] },
  pushpin: { variable: 'PUSHPIN_PATH', packageName: 'pushpin', commands: ['pushpin'], files: [] },
  openssl: { variable: 'OPENSSL_PATH', packageName: 'openssl', commands: ['openssl'], files: [] },
  // For the examples in docs/publishing.md and docs/guides/authorization.md.
  curl: { variable: 'CURL_PATH', packageName: 'curl', commands: ['curl'], files: [] },
  jq: { variable: 'JQ_PATH', packageName: 'jq', commands: ['jq'], files: [] },
  // Version managers leave commands in the path that name no version.
  python: { variable: 'PYTHON_PATH', packageName: 'python3', commands: ['python3'], files: [], works: ['--version'] },
  // For examples/django. Debian's Django is there for Debian's Python alone.
  django: {
    variable: 'DJANGO_PYTHON_PATH',
    packageName: 'python3-django',
    commands: ['python3'],
    files: ['/usr/bin/python3'],
    works: ['-c', 'import django'],
  },
  ruby: { variable: 'RUBY_PATH', packageName: 'ruby', commands: ['ruby'], files: [] },
  // What of Rails answers requests, and a server for it. Debian's are there for Debian's Ruby alone.
  rails: {
    variable: 'RAILS_RUBY_PATH',
    packageName: 'ruby-actionpack ruby-webrick',
    commands: ['ruby'],
    files: ['/usr/bin/ruby'],
    works: ['-e', 'require "action_controller"; require "webrick"'],
  },
  php: {
    variable: 'PHP_PATH',
    packageName: 'php-cli php-curl',
    commands: ['php'],
    files: [],
    // Without its curl it is there, and of no use.
    works: ['-r', 'exit(function_exists("curl_init") ? 0 : 1);'],
  },
}

/** Where a program is, or `undefined`. What its variable names comes first. */
export function find(name) {
  const { variable, commands, files, works } = programs[name]
  if (process.env[variable]) return process.env[variable]
  const folders = (process.env.PATH ?? '').split(delimiter)
  const candidates = commands.flatMap((one) => folders.map((folder) => join(folder, one)))
  const able = (file) => works === undefined || spawnSync(file, works, { stdio: 'ignore' }).status === 0
  return [...candidates, ...files].find((file) => existsSync(file) && able(file))
}

/** The programs as the variables that tests read. */
export function variables() {
  const found = Object.keys(programs).map((name) => [programs[name].variable, find(name)])
  return Object.fromEntries(found.filter(([, path]) => path !== undefined))
}

const packagesOf = (names) => names.flatMap((name) => programs[name].packageName.split(' '))

/** What a person types to get these. */
export function howToInstall(names) {
  const list = packagesOf(names)
    .map((name) => name.replace(/.*\|/, ''))
    .join(' ')
  if (isDebian()) return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${list}`
  const paths = names.map((name) => `${programs[name].variable}=/path/to/${name}`).join(' ')
  return `install ${names.join(', ')} by your system's means (Debian calls them ${list}), or say where they are: ${paths} npm test`
}

function isDebian() {
  if (!existsSync('/etc/os-release')) return false
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'))
}

/** How to become root without being asked: nothing, sudo, or not at all. */
function becomeRoot() {
  if (process.getuid?.() === 0) return []
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}

// The packages of nginx, redis and Pushpin start their services, and again at every boot. Nobody asked for that: policy-rc.d
// forbids the first while this installs, and only what it installed is disabled after.
const INSTALL = `
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod +x "$policy"
fi
apt-get update || echo 'The list of packages could not be brought up to date; trying with the one that is here.' >&2
wanted=
for names in "$@"; do
  found=
  for name in $(echo "$names" | tr '|' ' '); do
    if [ -z "$found" ] && apt-cache policy "$name" | grep -q 'Candidate: [^(]'; then found="$name"; fi
  done
  if [ -n "$found" ]; then wanted="$wanted $found"
  else echo "This system's package sources have no $names." >&2; fi
done
[ -n "$wanted" ] || exit 1
apt-get install -y --no-install-recommends $wanted
status=$?
if [ -d /run/systemd/system ]; then
  for name in $wanted; do
    case "$name" in
      nginx | redis-server) systemctl disable --now "$name" ;;
      pushpin) systemctl disable --now pushpin zurl ;;
    esac
  done
fi
exit $status
`

/** Installs what is missing where that is possible without asking. Returns what is still missing, and whether that was tried. */
export function installPrograms() {
  const missing = () => Object.keys(programs).filter((name) => find(name) === undefined)
  const before = missing()
  if (before.length === 0) return { missing: [], installable: true }
  const root = isDebian() ? becomeRoot() : undefined
  if (root === undefined) return { missing: before, installable: false }
  console.log(`Installing ${packagesOf(before).join(', ')} by apt-get …`)
  const [program, ...args] = [...root, 'sh', '-c', INSTALL, 'install', ...packagesOf(before)]
  spawnSync(program, args, { stdio: 'inherit' })
  return { missing: missing(), installable: true }
}
