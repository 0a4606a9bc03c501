// The face of what the process runtime has on Node only.
export { zstdPacker } from "./packer.node.ts";
export { acceptNewerExceptions, keepWasmCode, optimiseWasm } from "./v8-flags.node.ts";
