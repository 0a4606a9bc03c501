// The face of what whole jobs need on Node.
export { loadCheckpoint, saveCheckpoint } from "./checkpoint-file.node.ts";
export { spawnNodeThread } from "./threads.node.ts";
