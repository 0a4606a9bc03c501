// Starts worker threads on Node and wraps them as the agent wants them.
import { Worker } from "node:worker_threads";
import { keepWasmCode } from "@nightshift/wasm-kernels/process/node";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import type { Ports, WorkerApi, WorkerHandle } from "../agent/ports.ts";
import { carryErrors } from "./errors.ts";
import { OutputTaker } from "./output.ts";
import { lowerThreadPriority, type Priority, threadCpuMs } from "./priority.node.ts";
import { isPosted } from "./protocol.ts";

carryErrors();

/** Megabytes of native stack for a process: deep recursion in C fits (V8's own default is about 1). */
const STACK_MB = 8;

export function spawnNodeWorker(on: Parameters<Ports["spawnWorker"]>[0], priority: Priority): WorkerHandle {
  keepWasmCode();
  const worker = new Worker(new URL("./worker.node.ts", import.meta.url), {
    resourceLimits: { stackSizeMb: STACK_MB },
  });
  const output = new OutputTaker(on.output);
  let over = false;
  let thread: number | undefined;
  const died = (error: Error): void => {
    if (over) return;
    output.take();
    over = true;
    on.died(error);
  };
  worker.on("message", (message: unknown) => {
    output.take();
    if (over || !isPosted(message)) return;
    if (message.nightshift === "outputThere") output.there(message.ring);
    else if (message.nightshift === "pipeClosed") on.pipeClosed(message.key, message.pipe);
    else if (message.nightshift === "thread") {
      thread = message.thread;
      if (priority === "idle") lowerThreadPriority(thread);
    }
  });
  worker.on("error", (error) => died(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => died(new Error(`the worker ended with code ${code}`)));
  worker.setMaxListeners(0); // comlink listens once for each call under way
  return {
    api: Comlink.wrap<WorkerApi>(nodeEndpoint(worker)) as unknown as WorkerApi,
    cpuMs: () => (thread === undefined ? undefined : threadCpuMs(thread)),
    terminate: () => {
      over = true;
      output.end();
      void worker.terminate();
    },
  };
}
