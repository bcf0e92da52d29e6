import { pushStreamDevServer } from '@pushstream/devserver/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { simulate } from './simulator.ts'

export default defineConfig({
  // The development server takes the place of nginx: the page finds it at its own origin.
  plugins: [react(), pushStreamDevServer({ onMount: simulate })],
})
