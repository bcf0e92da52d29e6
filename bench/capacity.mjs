// node bench/capacity.mjs: what a subscriber and a stored message cost a worker of nginx. It prints the table of
// docs/guides/capacity.md. The memory of a process does not depend on what else the machine does.
//
//   PUSHSTREAM_NGINX_MODULE   the push stream module; without it only Nchan is measured
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort, temporaryPaths } from '../scripts/servers.mjs'
import { find } from '../scripts/system.mjs'
import { table } from './figures.mjs'

const SUBSCRIBERS = 4000
const MESSAGES = 5000

const servers = {
  'push stream module': {
    module: process.env.PUSHSTREAM_NGINX_MODULE,
    http: `push_stream_shared_memory_size 256m; push_stream_message_ttl 1h;
      push_stream_message_template '{"id":~id~,"channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~"}';`,
    subscriber: 'push_stream_subscriber websocket; push_stream_channels_path $channel;',
    publisher: 'push_stream_publisher admin; push_stream_channels_path $channel; push_stream_store_messages on;',
  },
  Nchan: {
    module: find('nchan'),
    http: 'nchan_shared_memory_size 256m;',
    subscriber: 'nchan_subscriber; nchan_channel_id $channel;',
    publisher:
      'nchan_publisher; nchan_channel_id $channel; nchan_message_buffer_length 100000; nchan_message_timeout 1h;',
  },
}

/** An nginx without a master: one process, whose memory is all of it. */
async function start({ module, http, subscriber, publisher }) {
  const dir = mkdtempSync(join(tmpdir(), 'pushstream-capacity-'))
  const port = await freePort()
  writeFileSync(
    join(dir, 'nginx.conf'),
    `load_module ${module}; daemon off; master_process off; pid ${dir}/pid; error_log stderr error;
    worker_rlimit_nofile 20000; events { worker_connections 10000; }
    http { access_log off; ${temporaryPaths(dir)} ${http}
      server { listen 127.0.0.1:${port} backlog=1024;
        location ~ ^/sub/(?<channel>.+)$ { ${subscriber} }
        location ~ ^/pub/(?<channel>.+)$ { ${publisher} client_body_buffer_size 64k; } } }`,
  )
  const child = spawn(find('nginx'), ['-p', dir, '-e', 'stderr', '-c', join(dir, 'nginx.conf')], { stdio: 'inherit' })
  const sockets = []
  await pause(1000)
  return {
    /** Resident memory, in bytes. */
    memory: () => 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]),
    async subscribe(channel) {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.write(
        `GET /sub/${channel} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
      )
      const [answer] = await once(socket, 'data')
      if (!String(answer).startsWith('HTTP/1.1 101')) throw new Error(String(answer))
    },
    async publish(channel, body) {
      const { ok, status } = await fetch(`http://127.0.0.1:${port}/pub/${channel}`, { method: 'POST', body })
      if (!ok) throw new Error(`publishing was answered with ${status}`)
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      child.kill('SIGKILL')
      await once(child, 'close')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function repeat(count, act) {
  for (let n = 0; n < count; n += 20) await Promise.all(Array.from({ length: 20 }, (_, more) => act(n + more)))
}

/** The bytes that each of `count` costs, after some that are not counted. */
async function measure(server, count, act, finish = () => undefined) {
  const nginx = await start(server)
  try {
    await repeat(200, (n) => act(nginx, `w${n}`))
    await pause(500)
    const before = nginx.memory()
    await repeat(count, (n) => act(nginx, n))
    await finish(nginx)
    await pause(1000)
    return Math.round((nginx.memory() - before) / count)
  } finally {
    await nginx.close()
  }
}

const cases = [
  ['a subscriber by websocket', SUBSCRIBERS, (nginx) => nginx.subscribe('news')],
  [
    'the same, after a message',
    SUBSCRIBERS,
    (nginx) => nginx.subscribe('news'),
    (nginx) => nginx.publish('news', 'x'.repeat(200)),
  ],
  ['a subscriber by websocket, and its channel', SUBSCRIBERS, (nginx, n) => nginx.subscribe(`user-${n}`)],
  ...[200, 2000].map((bytes) => [
    `a stored message of ${bytes} bytes`,
    MESSAGES,
    (nginx) => nginx.publish('news', 'x'.repeat(bytes)),
  ]),
]
const names = Object.keys(servers).filter((name) => servers[name].module)
const rows = []
for (const [title, count, act, finish] of cases) {
  const row = [title]
  for (const name of names) row.push(`${((await measure(servers[name], count, act, finish)) / 1000).toFixed(1)}`)
  rows.push(row)
}
console.log(table(['KB each', ...names], rows))
