import { ClassicPushStream, PushStreamManager } from '../classic/client.js'
import { PushStreamError } from '../errors.js'
import { messageTemplate } from '../protocols/template.js'
import { PushStream } from '../push-stream.js'
import { shared } from '../shared.js'

// What a page without a bundler loads: the globals of the module's own pushstream.js, and the client of today on them.
const page = globalThis as { PushStream?: unknown; PushStreamManager?: unknown }

// Who was there before stays: the page has clients of that class.
if (!page.PushStream) {
  page.PushStream = Object.assign(ClassicPushStream, {
    Client: PushStream,
    Error: PushStreamError,
    messageTemplate,
    shared,
  })
  page.PushStreamManager = PushStreamManager
}
