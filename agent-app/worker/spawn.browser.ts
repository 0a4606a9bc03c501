// Starts Web Workers in browsers and wraps them as the agent wants them.
import { withFuel } from "@nightshift/wasm-kernels/instrument";
import * as Comlink from "comlink";
import { type LoadedProgram, loadShared } from "../agent/index.ts";
import type { Ports, WorkerApi, WorkerHandle } from "../agent/ports.ts";
import { carryErrors } from "./errors.ts";
import { isPosted } from "./protocol.ts";

carryErrors();

/** On a page that is not isolated workers share no memory with it, so that processes compute in slices (slices.ts), for which they need fuel. */
export async function loadForBrowserWorkers(program: Uint8Array<ArrayBuffer>): Promise<LoadedProgram> {
  if (crossOriginIsolated) return loadShared(program);
  const bytes = withFuel(program);
  return { bytes, module: await WebAssembly.compile(bytes) };
}

export function spawnBrowserWorker(on: Parameters<Ports["spawnWorker"]>[0]): WorkerHandle {
  const worker = new Worker(new URL("./worker.browser.ts", import.meta.url), { type: "module" });
  let over = false;
  const died = (error: Error): void => {
    if (over) return;
    over = true;
    // Unlike a thread on Node, it lives on after an error.
    worker.terminate();
    on.died(error);
  };
  worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (!isPosted(data)) return;
    if (data.nightshift === "output") on.output(data.key, data.stream, data.offset, data.bytes);
    else if (data.nightshift === "pipeClosed") on.pipeClosed(data.key, data.pipe);
  });
  worker.addEventListener("error", (event) => died(new Error(event.message || "the worker could not be started")));
  worker.addEventListener("messageerror", () => died(new Error("a message from the worker could not be read")));
  return {
    api: Comlink.wrap<WorkerApi>(worker) as unknown as WorkerApi,
    cpuMs: () => undefined,
    terminate: () => {
      over = true;
      worker.terminate();
    },
  };
}
