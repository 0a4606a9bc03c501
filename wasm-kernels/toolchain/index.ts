// The toolchain's face: C and C++ to WASI modules, and the native build of the same sources. Everything else here is internal.
export { type Compiled, type CompileOptions, compile } from "./compile.ts";
export { compileNative, type NativeOptions } from "./native.ts";
export { isSourceName, isWasm } from "./sources.ts";
