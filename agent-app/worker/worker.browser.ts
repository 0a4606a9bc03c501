// The Web Worker in browsers: the ProcessWorker behind comlink on the worker's own port. On a page that is cross-origin
// isolated another thread stops its processes and has them renewed; elsewhere it computes in slices.
import { loadZstdPacker } from "@nightshift/wasm-kernels/process/browser";
import * as Comlink from "comlink";
import { carryErrors } from "./errors.ts";
import { ProcessWorker } from "./process-worker.ts";
import type { Posted } from "./protocol.ts";
import { renewalBy } from "./renewal.ts";
import { Slices } from "./slices.ts";

carryErrors();
// A trap's message shows this much of the program's stack.
Error.stackTraceLimit = 40;

// Calls that come while the rest is loading wait for it.
const early: MessageEvent[] = [];
const keep = (event: MessageEvent): void => void early.push(event);
addEventListener("message", keep);
/** It is loaded with the help of this thread: it would not begin while a process computes here. */
async function startRenewer(): Promise<Worker> {
  const renewer = new Worker(new URL("./renewer.browser.ts", import.meta.url), { type: "module" });
  await new Promise((resolve, reject) => {
    renewer.addEventListener("message", resolve, { once: true });
    renewer.addEventListener("error", ({ message }) => reject(new Error(`the renewer could not be started: ${message}`)));
  });
  return renewer;
}
const [packer, bySharing] = await Promise.all([
  loadZstdPacker(),
  crossOriginIsolated ? startRenewer().then((renewer) => ({ renewal: renewalBy(renewer) })) : undefined,
]);
removeEventListener("message", keep);

const post = (message: Posted): void => postMessage(message);

Comlink.expose(
  new ProcessWorker({
    // Browsers do not tell the time a thread has computed.
    cpuNow: () => performance.now(),
    now: () => Date.now(),
    packer,
    ...(bySharing ?? { slices: new Slices(() => performance.now()) }),
    output: (key, stream, offset, bytes) => post({ nightshift: "output", key, stream, offset, bytes }),
    pipeClosed: (key, pipe) => post({ nightshift: "pipeClosed", key, pipe }),
  }),
);
for (const { data, ports } of early) dispatchEvent(new MessageEvent("message", { data, ports: [...ports] }));
