// The face of the coordinator's server.
export type { Change } from "./http/stream.ts";
export { type CoordinatorOptions, type RunningCoordinator, startCoordinator } from "./server.ts";
