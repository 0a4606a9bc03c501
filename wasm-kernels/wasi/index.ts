// The face of the WASI host.
export { fixedPath } from "./devices.ts";
export { ERRNO } from "./errno.ts";
export { seedOfFork } from "./random.ts";
export { Wasi, type WasiOptions, type WasiState } from "./wasi.ts";
