// The carrier's thread on Node: started with a NodeThreadSetup.
import { parentPort, workerData } from "node:worker_threads";
import { must } from "../errors.ts";
import { OutputRing } from "../process/index.ts";
import { zstdPacker } from "../process/packer.node.ts";
import { Carrier } from "./carrier.ts";
import type { Reply, Request, Told } from "./thread-protocol.ts";
import type { NodeThreadSetup, OutputThere } from "./threads.node.ts";

// A trap's message shows this much of the program's stack.
Error.stackTraceLimit = 40;

const port = must(parentPort, "the carrier's port");
/** Only this thread's time. */
const cpuNow = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
const { setup, output } = workerData as NodeThreadSetup;
const ring = new OutputRing(output);
const carrier = new Carrier(setup, {
  packer: zstdPacker,
  cpuNow,
  now: () => Date.now(),
  tell: (event: Told) => {
    if (event.kind !== "output") port.postMessage(event);
    else ring.put({ ...event, writer: event.pid }, () => port.postMessage({ kind: "outputThere" } satisfies OutputThere));
  },
});

/** What goes to the job's thread instead of being copied. */
function handedOver(reply: Reply): ArrayBuffer[] {
  if (reply.kind === "captured") return [reply.image.buffer];
  if (reply.kind !== "stopped") return [];
  return [...(reply.files?.values() ?? [])].flatMap((bytes) => bytes?.buffer ?? []);
}

let last: Promise<unknown> = Promise.resolve();
port.on("message", (request: Request) => {
  last = last.then(async () => {
    const reply: Reply = await carrier.handle(request);
    port.postMessage(reply, handedOver(reply));
  });
});
port.postMessage({ kind: "ready" } satisfies Told);
