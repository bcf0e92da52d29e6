import { modules } from './modules.mjs'

/**
 * The path of a page in the site. Files stay where they are in the repository: a guide loses the folder `docs`, and a
 * README is named after its folder.
 */
export const pageOf = (file) =>
  file === 'README.md'
    ? 'overview.md'
    : file
        .replace(/^(docs|packages)\//, '')
        .replace(/\/README\.md$/, '.md')
        .toLowerCase()

const page = (text, link) => ({ text, link })

const apiPages = [...modules.keys()].sort().map((name) => page(name, `/reference/api/${name}`))

export const sidebar = [
  {
    text: 'Start',
    items: [
      page('Choose your server', '/start/'),
      page('Nchan on Debian and Ubuntu', '/start/nchan'),
      page('Push stream module', '/start/push-stream'),
      page('django-eventstream', '/start/django-eventstream'),
      page('No server yet', '/start/no-server'),
      page('Overview', '/overview'),
    ],
  },
  {
    text: 'Guides',
    items: [
      page('The client', '/core'),
      page('React', '/react'),
      page('Vue', '/vue'),
      page('Svelte', '/frameworks#svelte'),
      page('Next.js, Nuxt and others', '/frameworks'),
      page('Authorization', '/guides/authorization'),
      page('Credentials', '/credentials'),
      page('Page loads', '/page-loads'),
      page('Several tabs', '/tabs'),
      page('Workers', '/guides/workers'),
      page('Publish from a back end', '/publishing'),
      page('Publish from Node', '/publisher'),
      {
        text: 'Operation',
        collapsed: false,
        items: [
          page('Security', '/guides/security'),
          page('Capacity', '/guides/capacity'),
          page('Scaling', '/guides/scaling'),
          page('Monitoring', '/guides/monitoring'),
        ],
      },
      {
        text: 'Servers',
        collapsed: false,
        items: [
          page('Nchan', '/nchan'),
          page('Push stream module', '/push-stream'),
          page('django-eventstream', '/django-eventstream'),
          page('Whole nginx configurations', '/e2e/nginx/wild'),
        ],
      },
      {
        text: 'Tools',
        collapsed: false,
        items: [
          page('Doctor', '/doctor'),
          page('Developer panel', '/devtools'),
          page('Development server', '/devserver'),
          page('Test kit', '/testkit'),
          page('Playground', '/playground'),
        ],
      },
    ],
  },
  {
    text: 'Migrate',
    items: [
      page('Where from', '/migrate/'),
      page('pushstream.js', '/drop-in'),
      page('NchanSubscriber.js', '/migrate/nchan-subscriber'),
      page('reconnecting-eventsource', '/migrate/reconnecting-eventsource'),
      page('updates.js', '/updates'),
      page('runpushserver', '/django-pushserver'),
      page('Socket.IO', '/migrate/socket-io'),
      page('Pusher, Laravel Echo', '/migrate/pusher'),
      page('Centrifugo', '/migrate/centrifugo'),
    ],
  },
  {
    text: 'Understand',
    items: [
      page('How it works', '/how-it-works'),
      page('Architecture', '/architecture'),
      page('Reliability', '/reliability'),
      page('Performance', '/performance'),
      page('Comparison', '/comparison'),
      page('Changes', '/changelog'),
      {
        text: 'For contributors',
        collapsed: true,
        items: [
          page('Contributing', '/contributing'),
          page('End-to-end tests', '/e2e'),
          page('Fault matrix', '/e2e/matrix'),
          page('Soak tests', '/e2e/soak'),
          page('nginx in tests', '/e2e/nginx'),
          page('Benchmarks', '/bench'),
        ],
      },
    ],
  },
  {
    text: 'Reference',
    items: [
      page('Options', '/core#options'),
      page('Error codes', '/reference/errors'),
      page('Troubleshooting', '/troubleshooting'),
      page('Browsers and runtimes', '/reference/support'),
      { text: 'API', link: '/reference/api/', collapsed: true, items: apiPages },
    ],
  },
]
