import { ScriptedDjango } from '../support/scripted-django.js'
import { cleanup } from './support.js'

export { event, type ScriptedDjango } from '../support/scripted-django.js'

export async function startDjango(): Promise<ScriptedDjango> {
  const django = await new ScriptedDjango().start()
  cleanup(() => django.close())
  return django
}
