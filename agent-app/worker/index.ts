// The face of the workers on Node.
export { spawnNodeWorker } from "./spawn.node.ts";
