// From a plain module to a program that processes run: one that can be moved or, where that is asked for, one that cannot.
import { asNightshiftError, NightshiftError } from "../errors.ts";
import { instrument } from "../instrument/index.ts";
import { pin } from "./pinned-module.ts";
import { checkModule } from "./program.ts";

export interface PreparedProgram {
  wasm: Uint8Array<ArrayBuffer>;
  functions: number;
  /** Where it can be left. */
  sites: number;
  /** Why it cannot be moved; null: it can be. */
  pinned: string | null;
}

/**
 * @param mayPin should it not be possible to move it, a pinned program is made of it
 * @throws NS_NOT_WASM, NS_BAD_MODULE, NS_UNKNOWN_IMPORT, NS_NOT_MIGRATABLE
 */
export function preparedProgram(bytes: Uint8Array<ArrayBuffer>, mayPin: boolean): PreparedProgram {
  try {
    checkModule(bytes);
    const { wasm, functions, sites } = instrument(bytes);
    // The engine's word on our own work: never hand out a module that does not validate.
    if (!WebAssembly.validate(wasm)) new WebAssembly.Module(wasm); // throws with the reason
    return { wasm, functions, sites, pinned: null };
  } catch (thrown) {
    const because = asNightshiftError(thrown);
    if (because.code !== "NS_NOT_MIGRATABLE" || !mayPin) throw thrown;
    return { wasm: pinned(bytes, because), functions: 0, sites: 0, pinned: because.message };
  }
}

function pinned(bytes: Uint8Array<ArrayBuffer>, because: NightshiftError): Uint8Array<ArrayBuffer> {
  try {
    return pin(bytes, because.message);
  } catch (thrown) {
    const { message } = asNightshiftError(thrown);
    throw new NightshiftError(because.code, `${because.message}; nor can it run without being moved: ${message}`, {
      details: { remedy: "Nightshift cannot run this program." },
      cause: thrown,
    });
  }
}
