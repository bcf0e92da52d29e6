import { installUpdates } from '../updates/install.js'

// django-pushserver's `$.updates` for a page without a bundler. It is added to pushstream.js, which has to be loaded before.
const page = globalThis as unknown as { PushStream: { updates?: ReturnType<typeof installUpdates> } }

page.PushStream.updates ??= installUpdates()
