import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pushStreamDevServer } from '@pushstream/devserver/vite'
import { createServer } from 'vite'
import { alias } from '../vite.config.js'
import { built } from './support/build.js'
import { Guide } from './support/guide.js'
import { test as base, expect } from './support/test.js'

// docs/guides/workers.md: its files as they are written, by Vite with the development server.

interface Running {
  readonly url: string
  publish(text: string): Promise<void>
  /** The number of connections that are subscribed to the channel. */
  subscribers(): Promise<number>
}

/** A page with an element for each sample, and one script. */
const pageOf = (script: string) => `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Workers</title>
  <link rel="icon" href="data:,">
  <ul id="news"></ul>
  <p id="last"></p>
  <script type="module" src="/${script}"></script>
</html>
`

// Not of the guide: a page and a worker that share.
const sharing = (show: string) => `import { PushStream } from '@pushstream/core'
import { share } from '@pushstream/core/share'

const stream = new PushStream({ url: location.origin, share: share() })
stream.addChannel('news', { backtrack: 5 })
stream.on('message', ({ text }) => ${show})
stream.connect()
`
const sharingPage = `const show = (text: string) => {
  const item = document.createElement('li')
  item.textContent = text
  document.querySelector('#news')?.append(item)
}
const worker = new Worker(new URL('./sharing-worker.ts', import.meta.url), { type: 'module' })
worker.onmessage = ({ data }) => show('worker: ' + data)
${sharing("show('page: ' + text)")}`

const test = base.extend<{ running: Running }>({
  running: async ({ troubles }, use) => {
    void troubles
    const guide = await Guide.open('guides/workers', { changes: () => [] })
    await guide.write('worker.ts', 'main.ts', 'shared-worker.ts', 'page.ts', 'ask.js')
    await mkdir(join(guide.folder, 'public'))
    await writeFile(join(guide.folder, 'public/service-worker.js'), guide.file('service-worker.js'))
    await copyFile(join(built, 'pushstream.js'), join(guide.folder, 'public/pushstream.min.js'))
    await writeFile(join(guide.folder, 'sharing-worker.ts'), sharing('postMessage(text)'))
    await writeFile(join(guide.folder, 'sharing.ts'), sharingPage)
    for (const script of ['main.ts', 'page.ts', 'ask.js', 'sharing.ts'])
      await writeFile(join(guide.folder, script.replace(/\w+$/, 'html')), pageOf(script))
    const vite = await createServer({
      configFile: false,
      logLevel: 'error',
      root: guide.folder,
      resolve: { alias },
      plugins: [pushStreamDevServer()],
      server: { host: '127.0.0.1', port: 0, hmr: false, fs: { strict: false } },
    })
    await vite.listen()
    const url = vite.resolvedUrls?.local[0] ?? ''
    await use({
      url,
      async publish(body) {
        expect((await fetch(`${url}pub?id=news`, { method: 'POST', body })).ok).toBe(true)
      },
      async subscribers() {
        const answer = await fetch(`${url}channels-stats?id=news`)
        return answer.ok ? Number(((await answer.json()) as { subscribers: unknown }).subscribers) : 0
      },
    })
    await vite.close()
    await guide.close()
  },
})

test('the worker of the guide → the page shows its messages', async ({ page, running }) => {
  await running.publish('stored')
  await page.goto(`${running.url}main.html`)
  const items = page.locator('#news li')
  await expect(items).toHaveText(['stored'])
  await running.publish('live')
  await expect(items).toHaveText(['stored', 'live'])
  await page.goto('about:blank')
  await expect.poll(running.subscribers).toBe(0)
})

test('the shared worker of the guide, two pages → one connection, until both are gone', async ({
  page,
  context,
  running,
}) => {
  const other = await context.newPage()
  for (const each of [page, other]) await each.goto(`${running.url}page.html`)
  await expect.poll(running.subscribers).toBe(1)
  // A page whose message has not reached the worker yet would miss what comes now.
  const come = async (text: string, ...pages: (typeof page)[]) => {
    await running.publish(text)
    for (const each of pages) await expect(each.locator('#news li').last()).toHaveText(text)
  }
  await expect(async () => {
    await come('for both', page, other)
  }).toPass()
  expect(await running.subscribers()).toBe(1)
  await other.close()
  await come('for one', page)
  expect(await running.subscribers()).toBe(1)
  await page.goto('about:blank')
  await expect.poll(running.subscribers).toBe(0)
})

test('the service worker of the guide → the page shows the last message, then the connection is closed', async ({
  page,
  running,
}) => {
  await running.publish('first')
  await running.publish('last')
  await page.goto(`${running.url}ask.html`)
  await expect(page.locator('#last')).toHaveText('last')
  await expect.poll(running.subscribers).toBe(0)
})

test('a page and its worker that share → both get each message, by one connection', async ({ page, running }) => {
  await page.goto(`${running.url}sharing.html`)
  await running.publish('live')
  const items = page.locator('#news li')
  await expect(items).toHaveCount(2)
  expect((await items.allTextContents()).sort()).toEqual(['page: live', 'worker: live'])
  await expect.poll(running.subscribers).toBe(1)
  await running.publish('more')
  await expect(items).toHaveCount(4)
  expect(await running.subscribers()).toBe(1)
})
