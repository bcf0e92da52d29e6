export { type Clock, systemClock } from './clock.js'
export {
  createFaultProxy,
  FaultProxy,
  type FaultProxyEvents,
  type FaultProxyOptions,
  type ProxiedRequest,
  type ProxyAddress,
  type ProxyStats,
} from './fault-proxy.js'
export { createManualClock, type ManualClock } from './manual-clock.js'
export type { ClosedBy } from './proxy/link.js'
export type { ProxyTarget } from './proxy/target.js'
export type { UpgradePolicy } from './proxy/upgrade.js'
