// From what the user named to a migratable program, all on this computer: compiled, checked, and instrumented unless it is migratable.
import { exportName, instrument, MigratableModule, parseModule } from "@nightshift/wasm-kernels/instrument";
import { checkModule } from "@nightshift/wasm-kernels/process";
import { type CompilerFlags, compileOptions } from "./program-file.ts";
import { StatusLine } from "./terminal.ts";

/** @throws NS_COMPILE_FAILED, NS_NOT_WASM, NS_BAD_MODULE, NS_UNKNOWN_IMPORT, NS_NOT_MIGRATABLE */
export async function migratableProgram(source: string, flags: CompilerFlags): Promise<Uint8Array<ArrayBuffer>> {
  const status = new StatusLine();
  status.show("Preparing ...");
  try {
    const { compile } = await import("@nightshift/wasm-kernels/toolchain");
    const { wasm, diagnostics } = await compile(compileOptions([source], flags));
    status.clear();
    if (diagnostics !== "") process.stderr.write(`${diagnostics.trimEnd()}\n`);
    const module = new Uint8Array(wasm);
    checkModule(module);
    return isMigratable(module) ? module : instrument(module).wasm;
  } finally {
    status.clear();
  }
}

/** @throws NS_BAD_MODULE when it is, but made by another version */
export function isMigratable(module: Uint8Array): boolean {
  if (!parseModule(module).exports.some(({ name }) => name === exportName.control)) return false;
  new MigratableModule(module);
  return true;
}
