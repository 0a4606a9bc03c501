// The face of the process runtime.
export { type Fault, signalOfFault } from "./fault.ts";
export type { HomeCall, HomeResult, PipeEnd, WaitReason } from "./hostcalls.ts";
export {
  decodeImage,
  encodeImage,
  type Image,
  type ImageHeader,
  imageParent,
  isImage,
  mergeImages,
  noPacker,
  type Packer,
} from "./image.ts";
export { exitStatus, Kernel, type KernelState, signalStatus } from "./kernel.ts";
export { type LocalResult, type LocalRunOptions, runLocally } from "./local.ts";
export { merged, OutputRing, type Written } from "./output-ring.ts";
export { PinnedProcess } from "./pinned.ts";
export { pinnedBecause } from "./pinned-module.ts";
export { type PlainResult, type PlainRunOptions, runPlain } from "./plain.ts";
export { type PreparedProgram, preparedProgram } from "./prepare.ts";
export { acknowledgeOutput, Process, type ProcessOptions, requestRenewal, requestStop, type Stop } from "./process.ts";
export { checkModule, Program } from "./program.ts";
