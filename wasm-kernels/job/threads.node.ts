// Worker threads for a job's processes on Node.
import { Worker } from "node:worker_threads";
import { keepWasmCode } from "../process/index.node.ts";
import { OutputRing } from "../process/index.ts";
import type { Reply, SpawnThread, ThreadSetup, Told } from "./thread-protocol.ts";

/** What the thread is started with. */
export interface NodeThreadSetup {
  setup: ThreadSetup;
  /** Of the ring in which its processes' output comes. */
  output: SharedArrayBuffer;
}
/** In the place of an output that the thread tells of: there is some in the ring. */
export interface OutputThere {
  kind: "outputThere";
}

/** Megabytes of native stack for a process: deep recursion in C fits (V8's own default is about 1). */
const STACK_MB = 8;

export const spawnNodeThread: SpawnThread = (setup, listener) => {
  keepWasmCode();
  const ring = new OutputRing();
  const worker = new Worker(new URL("./carrier.node.ts", import.meta.url), {
    workerData: { setup, output: ring.memory } satisfies NodeThreadSetup,
    resourceLimits: { stackSizeMb: STACK_MB },
  });
  const asked: ((reply: Reply) => void)[] = [];
  let over = false;
  let started = (): void => undefined;
  const ready = new Promise<void>((resolve) => {
    started = resolve;
  });
  const takeOutput = (): void => {
    for (const { writer, ...written } of ring.take()) listener.told({ kind: "output", pid: writer, ...written });
  };
  const died = (error: Error): void => {
    if (!over) listener.died(error);
    over = true;
  };
  worker.on("message", (message: Reply | Told | OutputThere) => {
    if (over) return;
    if (message.kind === "ready") started();
    else if (message.kind === "outputThere") takeOutput();
    else if (message.kind === "running" || message.kind === "output" || message.kind === "closed") listener.told(message);
    else asked.shift()?.(message);
  });
  worker.on("error", (error) => died(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => died(new Error(`the thread ended with code ${code}`)));
  return {
    ready,
    ask: (request) =>
      new Promise((resolve) => {
        asked.push(resolve);
        worker.postMessage(request);
      }),
    cpuMs: async () => {
      try {
        const { user, system } = await worker.cpuUsage();
        return (user + system) / 1000;
      } catch {
        return 0; // it has ended
      }
    },
    terminate: () => {
      over = true;
      started();
      void worker.terminate();
    },
  };
};
