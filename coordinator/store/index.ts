// The face of the store: what must survive the coordinator's death.

export type { Credit, EarnedThen, Earnings } from "./credit.ts";
export { type Experiment, type ExperimentRun, PARTS, type Part } from "./experiments.ts";
export type { EventSearch, Journal, JournalEvent, NewEvent, Stay } from "./journal.ts";
export type { Measurement, Measurements, ProgramTimes } from "./measurements.ts";
export {
  type ApiToken,
  type Invitation,
  type Passkey,
  type People,
  type Role,
  reaches,
  type SessionRecord,
  type User,
} from "./people.ts";
export type { PolicyVersion, Scope } from "./policies.ts";
export type { HostProgress, Progress, ReleaseRecord, Releases } from "./releases.ts";
export { openSqlite } from "./sqlite.ts";
export type { Batch, Device, OutputChunk, Store, TokenRecord } from "./store.ts";
export { HOUR_MS, type HourOfHost, type Usage } from "./usage.ts";
