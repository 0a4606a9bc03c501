// The worker thread of programs.ts: checks one module and makes it migratable, or else a pinned program.
import { parentPort, workerData } from "node:worker_threads";
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import { type PreparedProgram, preparedProgram } from "@nightshift/wasm-kernels/process";
import { acceptNewerExceptions } from "@nightshift/wasm-kernels/process/node";

export type InstrumentAnswer =
  | ({ ok: true } & PreparedProgram)
  | { ok: false; code: string; message: string; details: Record<string, unknown> };

function work(): InstrumentAnswer {
  try {
    return { ok: true, ...preparedProgram(new Uint8Array(workerData as Uint8Array), true) };
  } catch (thrown) {
    const { code, message, details } = asNightshiftError(thrown);
    return { ok: false, code, message, details: { ...details } };
  }
}

acceptNewerExceptions();
parentPort?.postMessage(work());
