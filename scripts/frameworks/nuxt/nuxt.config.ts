export default defineNuxtConfig({
  compatibilityDate: '2026-01-01',
  // What Nuxt 4 does anyway.
  future: { compatibilityVersion: 4 },
  telemetry: false,
})
