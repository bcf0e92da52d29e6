import { bootstrapApplication } from '@angular/platform-browser'
import { config } from './config'
import { News } from './news'

bootstrapApplication(News, config).catch((error) => console.error(error))
