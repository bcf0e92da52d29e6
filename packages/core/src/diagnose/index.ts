export { type DiagnoseOptions, diagnose } from './diagnose.js'
export { formatReport } from './format.js'
export type { Finding, Report, Row } from './types.js'
