// Starts Web Workers in browsers and wraps them as the agent wants them.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { withFuel } from "@nightshift/wasm-kernels/instrument";
import { severalMemories } from "@nightshift/wasm-kernels/process/engine";
import * as Comlink from "comlink";
import { type LoadedProgram, loadShared } from "../agent/index.ts";
import type { Ports, WorkerApi, WorkerHandle } from "../agent/ports.ts";
import { carryErrors } from "./errors.ts";
import { isPosted, type RenewerPort } from "./protocol.ts";
import { sharesFlags } from "./sharing.browser.ts";

carryErrors();

/**
 * Where nobody can set the flag of a program that computes, processes compute in slices, for which they need fuel.
 * @throws NS_ENGINE_LACKS when the browser does not know what the program is made of
 */
export async function loadForBrowserWorkers(program: Uint8Array<ArrayBuffer>): Promise<LoadedProgram> {
  try {
    if (sharesFlags()) return await loadShared(program);
    const bytes = withFuel(program, !severalMemories);
    return { bytes, module: await WebAssembly.compile(bytes) };
  } catch (thrown) {
    if (!(thrown instanceof WebAssembly.CompileError)) throw thrown;
    throw new NightshiftError("NS_ENGINE_LACKS", `this browser cannot compile the program: ${thrown.message}`, { cause: thrown });
  }
}

/** One that has not begun by then, on however busy a machine, never will: browsers lose some. */
const BEGIN_MS = 30_000;

export function spawnBrowserWorker(on: Parameters<Ports["spawnWorker"]>[0]): WorkerHandle {
  const worker = new Worker(new URL("./worker.browser.ts", import.meta.url), { type: "module" });
  const renewer = sharesFlags() ? startRenewer(worker) : undefined;
  let over = false;
  const end = (): void => {
    over = true;
    clearTimeout(late);
    worker.terminate();
    renewer?.terminate();
  };
  const died = (error: Error): void => {
    if (over) return;
    end(); // unlike a thread on Node, it lives on after an error
    on.died(error);
  };
  const late = setTimeout(() => died(new Error(`the worker did not begin within ${BEGIN_MS} ms`)), BEGIN_MS);
  worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (!isPosted(data)) return;
    if (data.nightshift === "output") on.output(data.key, data.stream, data.offset, data.bytes);
    else if (data.nightshift === "pipeClosed") on.pipeClosed(data.key, data.pipe);
    else if (data.nightshift === "begun") clearTimeout(late);
  });
  worker.addEventListener("error", (event) => died(new Error(event.message || "the worker could not be started")));
  worker.addEventListener("messageerror", () => died(new Error("a message from the worker could not be read")));
  return {
    api: Comlink.wrap<WorkerApi>(worker) as unknown as WorkerApi,
    cpuMs: () => undefined,
    terminate: end,
  };
}

function startRenewer(worker: Worker): Worker {
  const renewer = new Worker(new URL("./renewer.browser.ts", import.meta.url), { type: "module" });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage({ nightshift: "renewer", port: port1 } satisfies RenewerPort, [port1]);
  renewer.postMessage(port2, [port2]);
  return renewer;
}
