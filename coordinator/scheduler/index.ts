// The face of the scheduler.
export { Core, type CoreSettings, DEFAULT_SETTINGS, whyNot } from "./core.ts";
export { capacity, computingOn, takes, usable } from "./placement.ts";
export type { Effect, Outcome } from "./records.ts";
export {
  type Forgotten,
  type Host,
  type HostSettings,
  isDone,
  isEnded,
  type Job,
  type Part,
  type PartKey,
  type ProcessRecord,
  partKey,
  partKeysOf,
  type Saved,
  savedKey,
} from "./state.ts";
export type { WaitReason } from "./waiting.ts";
