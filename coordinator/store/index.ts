// The face of the store: what must survive the coordinator's death.
export { type Experiment, type ExperimentRun, PARTS, type Part } from "./experiments.ts";
export type { Deed, EventSearch, Journal, JournalEvent, NewEvent, Stay } from "./journal.ts";
export { type ApiToken, type Invitation, type People, ROLES, type Role, type SessionRecord, type User } from "./people.ts";
export type { PolicyVersion, Scope } from "./policies.ts";
export { openSqlite } from "./sqlite.ts";
export type { Batch, Device, OutputChunk, Store, TokenRecord } from "./store.ts";
