// The worker that carries processes through stages in a browser, and runs whole jobs, as its page asks.
import { sharesFlags } from "@nightshift/agent-app/worker/browser";
import { instrument, withFuel } from "@nightshift/wasm-kernels/instrument";
import { noPacker, Program, requestStop, runLocally } from "@nightshift/wasm-kernels/process";
import { loadZstdPacker } from "@nightshift/wasm-kernels/process/browser";
import { severalMemories } from "@nightshift/wasm-kernels/process/engine";
import { runStage, type StageOrder } from "../stage.ts";

const packers = { zstd: await loadZstdPacker(), none: noPacker };

/** So many stops of one run are survived at most: each costs about a millisecond. */
const MOST_MOVES = 40;

export interface JobOrder {
  /** The plain module. */
  module: Uint8Array<ArrayBuffer>;
  args: readonly string[];
  /** It is also stopped, and moved, at polls: at its first, at the next after each output, and in slices again and again. */
  stopped: boolean;
}

export type Asked =
  | { kind: "stage"; order: StageOrder; packer: keyof typeof packers }
  | { kind: "job"; order: JobOrder }
  | { kind: "instrument"; module: Uint8Array };

const prepare = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => withFuel(bytes, !severalMemories);

function answer(asked: Asked, stopAfterMs: number | null): unknown {
  if (asked.kind === "instrument") return instrument(asked.module).wasm;
  if (asked.kind === "stage") {
    if (!sharesFlags()) return runStage(asked.order, packers[asked.packer], () => undefined, { prepare, stopAfterMs });
    return runStage(asked.order, packers[asked.packer], (control) => postMessage({ kind: "running", control }));
  }
  const { module, args, stopped } = asked.order;
  const { wasm } = instrument(module);
  const program = new Program("0".repeat(64), sharesFlags() ? wasm : prepare(wasm));
  let [survived, asks, control] = [0, 0, new ArrayBuffer(64) as ArrayBufferLike];
  const stopNext = (): void => {
    if (stopped && survived < MOST_MOVES) requestStop(control);
  };
  const { stop, stdout, stderr, processes, moves } = runLocally({
    ...{ program, args, now: () => 0, cpuNow: () => 0 },
    moveAt: () => !stopped || survived++ < MOST_MOVES,
    refuel: () => (!stopped || survived >= MOST_MOVES ? 2 ** 30 : asks++ % 2 === 0 ? 5 : 0),
    beforeRun: (current) => {
      control = current;
      stopNext();
    },
    onOutput: stopNext,
  });
  return { stop, stdout, stderr, processes, moves };
}

addEventListener("message", ({ data: { asked, stopAfterMs } }: MessageEvent<{ asked: Asked; stopAfterMs: number | null }>) => {
  try {
    postMessage({ kind: "done", result: answer(asked, stopAfterMs) });
  } catch (thrown) {
    postMessage({ kind: "failed", message: String(thrown) });
  }
});
postMessage({ kind: "ready" });
