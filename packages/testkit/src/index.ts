export { type Clock, systemClock } from './clock.js'
export { createFakeFetch, type FakeFetch, type FakeFetchOptions, type FakeRequest } from './fake-fetch.js'
export { createFaultProxy, FaultProxy } from './fault-proxy.js'
export { freePort } from './free-port.js'
export { createGate, type Gate } from './gate.js'
export { createManualClock, type ManualClock } from './manual-clock.js'
export { type ManualEnvironment, manualEnvironment } from './manual-environment.js'
export type { ClosedBy } from './proxy/link.js'
export type { ProxyTarget } from './proxy/target.js'
export type {
  FaultProxyEvents,
  FaultProxyOptions,
  ProxiedRequest,
  ProxyAddress,
  ProxyStats,
} from './proxy/types.js'
export type { UpgradePolicy } from './proxy/upgrade.js'
export { type Content, type DribbleOptions, Exchange } from './script/exchange.js'
export type { RequestPattern } from './script/pattern.js'
export type { ScriptedRequest } from './script/request.js'
export { ScriptedSocket, type SocketEnd } from './script/scripted-socket.js'
export {
  createScriptedServer,
  type ExchangeScript,
  ScriptedServer,
  type ScriptedServerOptions,
  type ServerAddress,
  type SocketScript,
} from './scripted-server.js'
