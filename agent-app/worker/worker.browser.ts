// The Web Worker in browsers: the ProcessWorker behind comlink on the worker's own port. Where threads share memory
// (sharing.browser.ts) another one stops its processes and has them renewed; elsewhere it computes in slices.
import { loadZstdPacker } from "@nightshift/wasm-kernels/process/browser";
import * as Comlink from "comlink";
import { carryErrors } from "./errors.ts";
import { ProcessWorker } from "./process-worker.ts";
import { isRenewerPort, type Posted } from "./protocol.ts";
import { renewalBy } from "./renewal.ts";
import { sharesFlags } from "./sharing.browser.ts";
import { Slices } from "./slices.ts";

carryErrors();
// A trap's message shows this much of the program's stack.
Error.stackTraceLimit = 40;

// Calls that come while the rest is loading wait for it. The first message is how to reach the renewer.
const early: MessageEvent[] = [];
const renewer = Promise.withResolvers<MessagePort>();
const keep = (event: MessageEvent): void => {
  if (isRenewerPort(event.data)) renewer.resolve(event.data.port);
  else early.push(event);
};
addEventListener("message", keep);
const [packer, bySharing] = await Promise.all([
  loadZstdPacker(),
  sharesFlags() ? renewer.promise.then((port) => ({ renewal: renewalBy(port) })) : undefined,
]);
removeEventListener("message", keep);

const post = (message: Posted): void => postMessage(message);

Comlink.expose(
  new ProcessWorker({
    // Browsers do not tell the time a thread has computed.
    cpuNow: () => performance.now(),
    now: () => Date.now(),
    packer,
    runsPinned: false,
    ...(bySharing ?? { slices: new Slices(() => performance.now()) }),
    output: (key, stream, offset, bytes) => post({ nightshift: "output", key, stream, offset, bytes }),
    pipeClosed: (key, pipe) => post({ nightshift: "pipeClosed", key, pipe }),
  }),
);
post({ nightshift: "begun" });
for (const { data, ports } of early) dispatchEvent(new MessageEvent("message", { data, ports: [...ports] }));
