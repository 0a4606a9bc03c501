// From what the user named to a program that processes run, all on this computer: compiled, checked, and instrumented unless it is migratable.
// What the pass made is kept with what the compiler made, as large programs take it seconds.
import { exportName, INSTRUMENT_VERSION, MigratableModule, parseModule } from "@nightshift/wasm-kernels/instrument";
import { checkModule, preparedProgram } from "@nightshift/wasm-kernels/process";
import { type CompilerFlags, compileOptions } from "./program-file.ts";
import { StatusLine } from "./terminal.ts";

/**
 * @returns with why it cannot be moved; null: it can be
 * @throws NS_COMPILE_FAILED, NS_NOT_WASM, NS_BAD_MODULE, NS_UNKNOWN_IMPORT, NS_NOT_MIGRATABLE
 */
export async function localProgram(
  source: string,
  flags: CompilerFlags & { pin?: boolean },
): Promise<{ wasm: Uint8Array<ArrayBuffer>; pinned: string | null }> {
  const status = new StatusLine();
  status.show("Preparing ...");
  try {
    const { buildKey, compile, readBuild, writeBuild } = await import("@nightshift/wasm-kernels/toolchain");
    const options = compileOptions([source], flags);
    const { wasm, diagnostics } = await compile(options);
    status.clear();
    if (diagnostics !== "") process.stderr.write(`${diagnostics.trimEnd()}\n`);
    const module = new Uint8Array(wasm);
    if (isMigratable(module)) {
      checkModule(module);
      return { wasm: module, pinned: null };
    }
    const { cacheDir } = options;
    if (cacheDir === undefined) return preparedProgram(module, flags.pin ?? false);
    const key = buildKey(["migratable", String(INSTRUMENT_VERSION), module]);
    const kept = await readBuild(cacheDir, key);
    if (kept) {
      checkModule(module);
      return { wasm: new Uint8Array(kept.bytes), pinned: null };
    }
    const { wasm: made, pinned } = preparedProgram(module, flags.pin ?? false);
    // That it cannot be moved is found soon, and depends on more than its bytes.
    if (pinned === null) await writeBuild(cacheDir, key, { bytes: made, text: "" });
    return { wasm: made, pinned };
  } finally {
    status.clear();
  }
}

/** @throws NS_BAD_MODULE when it is, but made by another version */
export function isMigratable(module: Uint8Array): boolean {
  if (!exportsOf(module).some(({ name }) => name === exportName.control)) return false;
  new MigratableModule(module);
  return true;
}

function exportsOf(module: Uint8Array): readonly { name: string }[] {
  try {
    return parseModule(module).exports;
  } catch {
    return []; // whoever prepares it says what is wrong with it
  }
}
