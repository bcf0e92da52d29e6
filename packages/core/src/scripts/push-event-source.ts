import { PushEventSource } from '../eventsource/push-event-source.js'

// For a page without a bundler that has EventSource, or reconnecting-eventsource, today.
const page = globalThis as { PushEventSource?: unknown }

page.PushEventSource ??= PushEventSource
