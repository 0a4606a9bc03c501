// The Web Worker in browsers: the ProcessWorker behind comlink on the port to its agent. Where threads share memory
// (sharing.browser.ts) another one stops its processes and has them renewed; elsewhere it computes in slices.
import { loadZstdPacker } from "@nightshift/wasm-kernels/process/browser";
import * as Comlink from "comlink";
import { carryErrors } from "./errors.ts";
import { outputBySlices, outputThroughRing } from "./output.ts";
import { ProcessWorker } from "./process-worker.ts";
import type { Posted, WorkerPorts } from "./protocol.ts";
import { renewalBy } from "./renewal.ts";
import { Slices } from "./slices.ts";

carryErrors();
// A trap's message shows this much of the program's stack.
Error.stackTraceLimit = 40;

const told = new Promise<WorkerPorts>((resolve) =>
  addEventListener("message", ({ data }: MessageEvent<WorkerPorts>) => resolve(data), { once: true }),
);
const [packer, { agent, renewer }] = await Promise.all([loadZstdPacker(), told]);

const post = (message: Posted): void => agent.postMessage(message);

Comlink.expose(
  new ProcessWorker({
    // Browsers do not tell the time a thread has computed.
    cpuNow: () => performance.now(),
    now: () => Date.now(),
    packer,
    runsPinned: false,
    ...(renewer
      ? { renewal: renewalBy(renewer), ...outputThroughRing(post) }
      : { slices: new Slices(() => performance.now()), ...outputBySlices(post) }),
    pipeClosed: (key, pipe) => post({ nightshift: "pipeClosed", key, pipe }),
  }),
  agent,
);
post({ nightshift: "begun" });
