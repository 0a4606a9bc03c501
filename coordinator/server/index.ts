// The face of the coordinator's server.
export { type CoordinatorOptions, type RunningCoordinator, startCoordinator } from "./server.ts";
