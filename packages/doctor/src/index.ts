export { type Io, run } from './run.js'
