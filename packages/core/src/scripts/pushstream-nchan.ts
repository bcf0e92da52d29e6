import { nchan } from '../protocols/nchan.js'

// The protocol of Nchan for a page without a bundler. It is added to pushstream.js, which has to be loaded before.
const page = globalThis as unknown as { PushStream: { nchan?: typeof nchan } }

page.PushStream.nchan ??= nchan
