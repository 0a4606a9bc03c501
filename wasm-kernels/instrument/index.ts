// The face of the transformation: plain WebAssembly in, migratable WebAssembly out, and continuations for saved frames.
export { frameBytes } from "./additions.ts";
export { isSuspendingImport } from "./callgraph.ts";
export { buildContinuation, CONTINUE_EXPORT, functionNamed, MigratableModule, PROGRAM_MODULE } from "./continuation.ts";
export type { Site } from "./facts.ts";
export { withFuel } from "./fuel.ts";
export { CONTROL, exportName, FLAG } from "./layout.ts";
export { MAX_TABLE_ENTRIES, withMemoryLimit } from "./limits.ts";
export { functionName, type Import, isWasm, parseModule, type WasmModule } from "./module.ts";
export { accessors, controlModule } from "./one-memory.ts";
export { INSTRUMENT_VERSION, type Instrumented, instrument } from "./transform.ts";
