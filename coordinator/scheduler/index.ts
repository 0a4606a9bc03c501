// The face of the scheduler.
export { Core, type CoreSettings, DEFAULT_SETTINGS } from "./core.ts";
export { capacity, usable } from "./placement.ts";
export type { Effect, Outcome } from "./records.ts";
export { type Host, isEnded, type Job, type ProcessRecord, type Saved } from "./state.ts";
