// The toolchain's face: C and C++ to WASI modules, whole or file by file, and the native build of the same sources. Everything else here is
// internal.
export { archiveMembers } from "./archive.ts";
export { buildKey, readBuild, writeBuild } from "./cache.ts";
export { compilerVersion } from "./clang.ts";
export { type Compiled, type CompileOptions, compile, readsOf } from "./compile.ts";
export { withLauncher, withoutLauncher } from "./launcher.ts";
export { compileNative, type NativeOptions } from "./native.ts";
export { addToArchive, type CompiledText, compileObject, compileToText, type LinkOptions, link } from "./objects.ts";
export { isCxxName, isSourceName, isWasm } from "./sources.ts";
export { useCompileServer } from "./tools.ts";
