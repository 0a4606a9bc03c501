// The worker thread on Node: the ProcessWorker behind comlink on the thread's port.
import { parentPort } from "node:worker_threads";
import { must } from "@nightshift/wasm-kernels/errors";
import { zstdPacker } from "@nightshift/wasm-kernels/process/node";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { carryErrors } from "./errors.ts";
import { outputThroughRing } from "./output.ts";
import { threadNumber } from "./priority.node.ts";
import { ProcessWorker } from "./process-worker.ts";
import type { Posted } from "./protocol.ts";

carryErrors();
// A trap's message shows this much of the program's stack.
Error.stackTraceLimit = 40;

const port = must(parentPort, "the worker's port");
/** Only this thread's time, not that of the whole agent. */
const threadCpu = (process as { threadCpuUsage?: () => { user: number; system: number } }).threadCpuUsage;
const cpuNow = (): number => {
  if (!threadCpu) return performance.now();
  const { user, system } = threadCpu.call(process);
  return (user + system) / 1000;
};

const post = (message: Posted): void => port.postMessage(message);
const thread = threadNumber();
if (thread !== undefined) post({ nightshift: "thread", thread });

Comlink.expose(
  new ProcessWorker({
    cpuNow,
    now: () => Date.now(),
    packer: zstdPacker,
    runsPinned: true,
    ...outputThroughRing(post),
    pipeClosed: (key, pipe) => post({ nightshift: "pipeClosed", key, pipe }),
  }),
  nodeEndpoint(port),
);
