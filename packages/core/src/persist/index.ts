export { type PersistOptions, type PositionStorage, persist } from './persist.js'
