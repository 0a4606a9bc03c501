// The worker that carries processes through stages in a browser, and runs whole jobs, as its page asks.
import { instrument } from "@nightshift/wasm-kernels/instrument";
import { noPacker, Program, runLocally } from "@nightshift/wasm-kernels/process";
import { loadZstdPacker } from "@nightshift/wasm-kernels/process/browser";
import { runStage, type StageOrder } from "../stage.ts";

const packers = { zstd: await loadZstdPacker(), none: noPacker };

export interface JobOrder {
  /** The plain module. */
  module: Uint8Array<ArrayBuffer>;
  args: readonly string[];
}

export type Asked =
  | { kind: "stage"; order: StageOrder; packer: keyof typeof packers }
  | { kind: "job"; order: JobOrder }
  | { kind: "instrument"; module: Uint8Array };

function answer(asked: Asked): unknown {
  if (asked.kind === "instrument") return instrument(asked.module).wasm;
  if (asked.kind === "stage")
    return runStage(asked.order, packers[asked.packer], (control) => postMessage({ kind: "running", control }));
  const { module, args } = asked.order;
  const program = new Program("0".repeat(64), instrument(module).wasm);
  const { stop, stdout, stderr, processes } = runLocally({ program, args, now: () => 0, cpuNow: () => 0, moveAt: () => true });
  return { stop, stdout, stderr, processes };
}

addEventListener("message", ({ data }: MessageEvent<Asked>) => {
  try {
    postMessage({ kind: "done", result: answer(data) });
  } catch (thrown) {
    postMessage({ kind: "failed", message: String(thrown) });
  }
});
postMessage({ kind: "ready" });
