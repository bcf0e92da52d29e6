import { readFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { freePort } from '@pushstream/testkit'
import { ScriptedDjango } from '../packages/core/test/support/scripted-django.js'
import { built, installed } from './support/build.js'
import { missingEventstream } from './support/example.js'
import { Guide } from './support/guide.js'
import { pushStreamModule } from './support/nginx.js'
import { type Loaded, site, startGuide } from './support/nginx-guide.js'
import { missingProgram, withoutModule } from './support/programs.js'
import { expect, needs, test } from './support/test.js'

// The guides of docs/start as they are written: their files, their commands, and the message that they promise. What is
// installed stands for what they install. Their configurations are looked at by the doctor in packages/doctor.

/** Guides are followed where the programs that they install can be found. */
const place = { parent: built, packages: installed }

/** Opens the page, publishes as the guide says, and sees the message. */
async function arrives(page: Page, url: string, guide: Guide, connected?: Promise<unknown>): Promise<void> {
  await page.goto(url)
  await connected
  await guide.run(/^curl /)
  await expect(page.locator('#news > li')).toHaveText(['hello'])
}

const servers: [guide: string, loaded: Loaded, ...missing: (string | undefined)[]][] = [
  ['start/nchan', 'Nchan', missingProgram('nchan')],
  ['start/push-stream', 'module', pushStreamModule() === undefined ? withoutModule : undefined],
  ['start/push-stream', 'development server'],
]
for (const [name, loaded, ...missing] of servers) {
  test.describe(() => {
    needs(missingProgram('nginx'), missingProgram('curl'), ...missing)

    test(`docs/${name}.md, ${loaded} → the message appears`, async ({ page }) => {
      const { guide, nginx, url, close } = await startGuide(name, loaded, place)
      try {
        await guide.run(/^sudo mkdir /)
        await guide.run(/^sudo cp node_modules/)
        await guide.write(`${site}/index.html`)
        await arrives(page, url, guide)
        expect(nginx.crashes).toEqual([])
      } finally {
        await close()
      }
    })
  })
}

test.describe('no server yet', () => {
  needs(missingProgram('curl'))

  test('docs/start/no-server.md → the message appears', async ({ page }) => {
    const port = await freePort()
    const guide = await Guide.open('start/no-server', { ...place, changes: () => [['8080', String(port)]] })
    try {
      await guide.write('vite.config.mjs', 'index.html', 'main.js')
      const vite = await guide.serve(/^npx vite /, port)
      try {
        await arrives(page, `http://127.0.0.1:${port}/`, guide)
      } finally {
        vite.signal('SIGTERM')
        await vite.gone
      }
    } finally {
      await guide.close()
    }
  })
})

/** What the reader does before the server is started. */
async function makeProject(guide: Guide): Promise<void> {
  await guide.write('news/settings.py', 'news/urls.py', 'templates/index.html', 'page.js')
  await guide.run(/^npx rolldown /)
}

test.describe('django-eventstream', () => {
  needs(missingProgram('curl'), missingEventstream('daphne'))

  test('docs/start/django-eventstream.md → the message appears', async ({ page }) => {
    const port = await freePort()
    const guide = await Guide.open('start/django-eventstream', {
      ...place,
      changes: () => [
        ['manage.py runserver', `manage.py runserver ${port} --noreload`],
        ['http://127.0.0.1:8000', `http://127.0.0.1:${port}`],
      ],
    })
    try {
      await guide.run(/^django-admin /)
      await makeProject(guide)
      await guide.run(/manage\.py migrate/)
      const django = await guide.serve(/manage\.py runserver/, port)
      try {
        // Events that came before the page are not for it.
        const connected = page.waitForResponse(/\/events\//)
        await arrives(page, `http://127.0.0.1:${port}/`, guide, connected)
      } finally {
        django.signal('SIGTERM')
        await django.gone
      }
    } finally {
      await guide.close()
    }
  })
})

test.describe('what django-eventstream was seen to do', () => {
  test('docs/start/django-eventstream.md, its page → the message appears', async ({ page }) => {
    const events = await new ScriptedDjango().start()
    const guide = await Guide.open('start/django-eventstream', {
      ...place,
      changes: () => [
        ['{% load static %}', ''],
        [`{% static 'page.js' %}`, '/static/page.js'],
      ],
    })
    const site = createServer(({ url = '/' }, response) => {
      const file = { '/': 'templates/index.html', '/static/page.js': 'static/page.js' }[url]
      if (file !== undefined) {
        response.setHeader('Content-Type', url === '/' ? 'text/html' : 'text/javascript')
        return void response.end(readFileSync(join(guide.folder, file)))
      }
      if (!url.startsWith('/events/')) return void response.writeHead(204).end()
      get(events.url + url, (answer) => {
        response.writeHead(answer.statusCode as number, answer.headers)
        answer.pipe(response)
      }).on('error', () => response.destroy())
    })
    try {
      await makeProject(guide)
      await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
      await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`)
      await expect.poll(() => events.listeners).toBe(1)
      events.publish('news', '{"text": "hello"}')
      await expect(page.locator('#news > li')).toHaveText(['hello'])
    } finally {
      site.closeAllConnections()
      site.close()
      await events.close()
      await guide.close()
    }
  })
})
