// The face of the scheduler.
export { Core, type CoreSettings, DEFAULT_SETTINGS, whyNot } from "./core.ts";
export { capacity, computingOn, usable } from "./placement.ts";
export type { Effect, Outcome } from "./records.ts";
export { type Forgotten, type Host, type HostSettings, isEnded, type Job, type ProcessRecord, type Saved } from "./state.ts";
