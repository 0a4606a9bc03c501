// Starts Web Workers in browsers and wraps them as the agent wants them.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import * as Comlink from "comlink";
import type { Ports, WorkerApi, WorkerHandle } from "../agent/ports.ts";
import { carryErrors } from "./errors.ts";
import { isPosted } from "./protocol.ts";

carryErrors();

/** @throws NS_HOST_UNAVAILABLE on a page that may not share memory with its workers: nobody could stop a process there. */
export function spawnBrowserWorker(on: Parameters<Ports["spawnWorker"]>[0]): WorkerHandle {
  if (!crossOriginIsolated)
    throw new NightshiftError(
      "NS_HOST_UNAVAILABLE",
      "this page cannot stop what its workers compute, as it is not cross-origin isolated: it must come over HTTPS (or from localhost) with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
    );
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
