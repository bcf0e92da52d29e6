import { mergeApplicationConfig } from '@angular/core'
import { type BootstrapContext, bootstrapApplication } from '@angular/platform-browser'
import { provideServerRendering, RenderMode, withRoutes } from '@angular/ssr'
import { config } from './config'
import { News } from './news'

const onServer = {
  providers: [provideServerRendering(withRoutes([{ path: '**', renderMode: RenderMode.Server }]))],
}

export default (context: BootstrapContext) =>
  bootstrapApplication(News, mergeApplicationConfig(config, onServer), context)
