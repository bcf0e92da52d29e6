import { ClassicPushStream, PushStreamManager } from '../classic/client.js'
import { PushStreamError } from '../errors.js'
import { nchan } from '../protocols/nchan.js'
import { PushStream } from '../push-stream.js'
import { installUpdates } from '../updates/install.js'

// What a page without a bundler loads: the globals of the module's own pushstream.js, and the client of today on them.
const page = globalThis as { PushStream?: unknown; PushStreamManager?: unknown }

// As $.updates too, where jQuery was loaded before.
const updates = installUpdates()

// Who was there before stays: the page has clients of that class.
if (!page.PushStream) {
  page.PushStream = Object.assign(ClassicPushStream, { Client: PushStream, Error: PushStreamError, nchan, updates })
  page.PushStreamManager = PushStreamManager
}
