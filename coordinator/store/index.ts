// The face of the store: what must survive the coordinator's death.
export { openSqlite } from "./sqlite.ts";
export type { Batch, Device, OutputChunk, Store, TokenRecord } from "./store.ts";
