// The face of the workers on Node.
export { lowerProcessPriority, PRIORITIES, type Priority } from "./priority.node.ts";
export { spawnNodeWorker } from "./spawn.node.ts";
