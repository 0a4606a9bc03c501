// The face of whole jobs on one machine, in threads, and their checkpoints.
export { Carrier, type CarrierPort } from "./carrier.ts";
export {
  CHECKPOINT_VERSION,
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  isCheckpoint,
  type JobSpec,
  MAX_CHECKPOINT_BYTES,
  type Sha256,
} from "./checkpoint.ts";
export {
  type CheckpointDescription,
  describeCheckpoint,
  describeImage,
  describeProgram,
  type ImageDescription,
  type ProgramDescription,
} from "./describe.ts";
export { Job, type JobEnd, type JobPorts, type JobReport } from "./job.ts";
export type { Reply, Request, SpawnThread, Thread, ThreadListener, ThreadSetup, Told } from "./thread-protocol.ts";
