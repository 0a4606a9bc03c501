// The face of the agent: the same on every platform.
export {
  Agent,
  type AgentSettings,
  type AgentStatus,
  type Allowance,
  type ClusterGlance,
  DEFAULT_AGENT_SETTINGS,
  type HostCredit,
  mayPass,
  type ProcessGlance,
} from "./agent.ts";
export { connectAgent } from "./connection.ts";
export { controlOf, type ProcessControl } from "./control.ts";
export type { AgentConnection, Ports, ProcessStatus, RunEnd, StartOrder, WorkerApi, WorkerHandle } from "./ports.ts";
export { type LoadedProgram, loadShared } from "./program.ts";
export { VERSION } from "./version.ts";
