// The package's face for those who embed it: what README.md describes. The other faces belong to Nightshift and may change with it.
export { asNightshiftError, type ErrorCode, NightshiftError } from "./errors.ts";
export { type Instrumented, instrument } from "./instrument/index.ts";
export {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  Job,
  type JobEnd,
  type JobPorts,
  type JobSpec,
} from "./job/index.ts";
export {
  acknowledgeOutput,
  checkModule,
  decodeImage,
  encodeImage,
  type Image,
  type LocalResult,
  type LocalRunOptions,
  Process,
  type ProcessOptions,
  Program,
  requestStop,
  runLocally,
  type Stop,
} from "./process/index.ts";
