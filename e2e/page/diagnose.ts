import { diagnose } from '@pushstream/core/diagnose'

declare global {
  interface Window {
    diagnose: typeof diagnose
  }
}

window.diagnose = diagnose
