// The worker thread of programs.ts: checks one module and makes it migratable.
import { parentPort, workerData } from "node:worker_threads";
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import { instrument } from "@nightshift/wasm-kernels/instrument";
import { checkModule } from "@nightshift/wasm-kernels/process";
import { acceptNewerExceptions } from "@nightshift/wasm-kernels/process/node";

export type InstrumentAnswer =
  | { ok: true; wasm: Uint8Array; functions: number; sites: number }
  | { ok: false; code: string; message: string; details: Record<string, unknown> };

function work(): InstrumentAnswer {
  try {
    const bytes = new Uint8Array(workerData as Uint8Array);
    checkModule(bytes);
    const { wasm, functions, sites } = instrument(bytes);
    checkResult(wasm);
    return { ok: true, wasm, functions, sites };
  } catch (thrown) {
    const { code, message, details } = asNightshiftError(thrown);
    return { ok: false, code, message, details: { ...details } };
  }
}

/** The engine's word on our own work: never hand out a module that does not validate. */
function checkResult(wasm: Uint8Array<ArrayBuffer>): void {
  if (!WebAssembly.validate(wasm)) new WebAssembly.Module(wasm); // throws with the reason
}

acceptNewerExceptions();
parentPort?.postMessage(work());
