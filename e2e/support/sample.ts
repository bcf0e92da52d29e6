import type { DevServerOptions } from '@pushstream/devserver'

/** A message as the module's sample configuration writes it: a script that calls into the page. */
export const sampleTemplate = "<script>p(~id~,'~channel~','~text~','~event-id~', '~time~', '~tag~');</script>"

/** The locations of the module's sample configuration, and `/json/`: a stream of the same template as the other modes. */
export const sample: DevServerOptions = {
  locations: [
    { path: '/pub', mode: 'publisher-admin' },
    { path: '/ws/', mode: 'websocket', settings: { websocketAllowPublish: true } },
    { path: '/ev/', mode: 'eventsource' },
    { path: '/lp/', mode: 'long-polling' },
    { path: '/json/', mode: 'streaming' },
    {
      path: '/sub/',
      mode: 'streaming',
      settings: {
        messageTemplate: sampleTemplate,
        headerTemplate: '<html><head><script>parent.PushStream.register(this);</script></head>\r\n<body>',
        footerTemplate: '</body></html>',
      },
    },
  ],
}
