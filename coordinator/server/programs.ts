// Turns uploaded modules into migratable programs, once each, in a worker thread so that the coordinator goes on answering.
import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { type ErrorCode, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { INSTRUMENT_VERSION } from "@nightshift/wasm-kernels/instrument";
import { keepWasmCode } from "@nightshift/wasm-kernels/process/node";
import type { Blobs } from "../blobs/index.ts";
import type { Result } from "../protocol/index.ts";
import type { Store } from "../store/index.ts";
import type { InstrumentAnswer } from "./instrument-worker.ts";

/** Largest module accepted, in bytes. */
const MAX_MODULE_BYTES = 64 * 2 ** 20;
/** Longest time for one module; beyond it something is wrong with it, or with us. */
const LIMIT_MS = 120_000;

export class Programs {
  private readonly store: Store;
  private readonly blobs: Blobs;
  private readonly underway = new Map<string, Promise<Result<"instrument">>>();

  constructor(store: Store, blobs: Blobs) {
    this.store = store;
    this.blobs = blobs;
  }

  /**
   * @param pin should it not be possible to move it: a program that stays where it is
   * @throws NS_NOT_WASM, NS_BAD_MODULE, NS_UNKNOWN_IMPORT, NS_NOT_MIGRATABLE (without pin), NS_LIMIT
   */
  async instrument(module: string, pin: boolean): Promise<Result<"instrument">> {
    const made = await this.made(module);
    if (made.pinned !== null && !pin) throw new NightshiftError("NS_NOT_MIGRATABLE", made.pinned);
    return made;
  }

  private async made(module: string): Promise<Result<"instrument">> {
    const known = this.store.program(module, INSTRUMENT_VERSION);
    if (known && (await this.blobs.has(known.program))) return { ...known, cached: true };
    let work = this.underway.get(module);
    if (!work) {
      work = this.make(module).finally(() => this.underway.delete(module));
      this.underway.set(module, work);
    }
    return work;
  }

  private async make(module: string): Promise<Result<"instrument">> {
    const bytes = await this.blobs.get(module);
    if (bytes.length > MAX_MODULE_BYTES)
      throw new NightshiftError("NS_LIMIT", `the module has ${bytes.length} bytes; the limit is ${MAX_MODULE_BYTES}`);
    const made = await inWorker(bytes);
    const program = createHash("sha256").update(made.wasm).digest("hex");
    await this.blobs.put(program, made.wasm);
    const record = { program, sizeBytes: made.wasm.length, functions: made.functions, sites: made.sites, pinned: made.pinned };
    this.store.saveProgram(module, INSTRUMENT_VERSION, record);
    return { ...record, cached: false };
  }
}

function inWorker(bytes: Uint8Array): Promise<Extract<InstrumentAnswer, { ok: true }>> {
  return new Promise((resolve, reject) => {
    keepWasmCode();
    const worker = new Worker(new URL("./instrument-worker.ts", import.meta.url), {
      workerData: bytes,
      resourceLimits: { maxOldGenerationSizeMb: 2048 },
    });
    const timer = setTimeout(
      () =>
        settle(() =>
          reject(new NightshiftError("NS_LIMIT", `the module could not be made migratable within ${LIMIT_MS / 1000} s`)),
        ),
      LIMIT_MS,
    );
    const settle = (how: () => void): void => {
      clearTimeout(timer);
      void worker.terminate();
      how();
    };
    worker.once("message", (answer: InstrumentAnswer) =>
      settle(() =>
        answer.ok
          ? resolve(answer)
          : reject(new NightshiftError(answer.code as ErrorCode, answer.message, { details: answer.details })),
      ),
    );
    worker.once("error", (error) =>
      settle(() =>
        reject(
          new NightshiftError(
            "NS_BAD_MODULE",
            `the module could not be made migratable: ${error instanceof Error ? error.message : String(error)}`,
            { cause: error },
          ),
        ),
      ),
    );
  });
}
