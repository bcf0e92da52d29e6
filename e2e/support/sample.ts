import type { DevServerOptions } from '@pushstream/devserver'

/** A message of the module's sample configuration: a script that calls a function of the page. */
export const sampleTemplate = "<script>p(~id~,'~channel~','~text~','~event-id~', '~time~', '~tag~');</script>"

/** The locations of the module's sample configuration, and `/json/`: a stream with the template of the other modes. */
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
