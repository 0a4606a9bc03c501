// Web Workers in browsers as the agent wants them, over the port to each.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { withFuel } from "@nightshift/wasm-kernels/instrument";
import { severalMemories } from "@nightshift/wasm-kernels/process/engine";
import * as Comlink from "comlink";
import { type LoadedProgram, loadShared } from "../agent/index.ts";
import type { Ports, WorkerApi, WorkerHandle } from "../agent/ports.ts";
import { carryErrors } from "./errors.ts";
import { OutputTaker } from "./output.ts";
import { isPosted } from "./protocol.ts";
import { sharesFlags } from "./sharing.browser.ts";
import { type StartWorker, startBrowserWorker } from "./start.browser.ts";

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

/** @param start who starts it, where that is not this thread */
export function spawnBrowserWorker(
  on: Parameters<Ports["spawnWorker"]>[0],
  start: StartWorker = startBrowserWorker,
): WorkerHandle {
  const { port1: port, port2 } = new MessageChannel();
  const output = new OutputTaker(on.output);
  let over = false;
  const end = (): void => {
    over = true;
    output.end();
    clearTimeout(late);
    terminate();
    port.close();
  };
  const died = (message: string): void => {
    if (over) return;
    end(); // unlike a thread on Node, it lives on after an error
    on.died(new Error(message));
  };
  const late = setTimeout(() => died(`the worker did not begin within ${BEGIN_MS} ms`), BEGIN_MS);
  const terminate = start(port2, died);
  port.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    output.take();
    if (over || !isPosted(data)) return;
    if (data.nightshift === "outputThere") output.there(data.ring);
    else if (data.nightshift === "output") on.output(data.writer, data.stream, data.offset, data.bytes);
    else if (data.nightshift === "pipeClosed") on.pipeClosed(data.key, data.pipe);
    else if (data.nightshift === "begun") clearTimeout(late);
  });
  port.addEventListener("messageerror", () => died("a message from the worker could not be read"));
  return {
    api: Comlink.wrap<WorkerApi>(port) as unknown as WorkerApi,
    cpuMs: () => undefined,
    terminate: end,
  };
}
