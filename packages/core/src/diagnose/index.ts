export type { Fault } from '../troubleshooting.js'
export { type DiagnoseOptions, diagnose } from './diagnose.js'
export { faults, formatReport } from './format.js'
export type { Finding, Report, Row } from './types.js'
