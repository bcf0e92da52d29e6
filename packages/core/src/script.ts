import { PushStream } from './client.js'
import { PushStreamError } from './errors.js'

/** What a page without a bundler loads: `<script src="pushstream.js">` defines `PushStream` (and `PushStream.Error`). */
export default Object.assign(PushStream, { Error: PushStreamError })
