// Starts Web Workers for the page, which hands whoever wants one the other end of its port: the agent is in a worker itself, and in Firefox one worker that
// starts another sometimes stops for good.
import type { WorkerPorts } from "./protocol.ts";
import { sharesFlags } from "./sharing.browser.ts";

/**
 * @param agent goes to the worker, which hears calls and tells what there is to tell over it
 * @param failed told what went wrong, when the worker itself cannot any more
 * @returns what ends it at once, with its renewer
 */
export type StartWorker = (agent: MessagePort, failed: (message: string) => void) => () => void;

export const startBrowserWorker: StartWorker = (agent, failed) => {
  const worker = new Worker(new URL("./worker.browser.ts", import.meta.url), { type: "module" });
  const renewer = sharesFlags() ? startRenewer() : undefined;
  const ports = [agent, ...(renewer ? [renewer.port] : [])];
  worker.postMessage({ agent, renewer: renewer?.port } satisfies WorkerPorts, ports);
  worker.addEventListener("error", (event) => failed(event.message || "the worker could not be started"));
  return () => {
    worker.terminate();
    renewer?.worker.terminate();
  };
};

function startRenewer(): { worker: Worker; port: MessagePort } {
  const worker = new Worker(new URL("./renewer.browser.ts", import.meta.url), { type: "module" });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2]);
  return { worker, port: port1 };
}
