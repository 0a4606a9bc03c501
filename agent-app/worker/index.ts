// The face of the workers on Node.
export { lowerProcessPriority } from "./priority.node.ts";
export { spawnNodeWorker } from "./spawn.node.ts";
