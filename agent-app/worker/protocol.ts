// What passes from a worker thread to its agent beside comlink's answers: what processes tell while they run, and once the thread's number. Comlink ignores
// messages it does not know, and both use the same port, so that these arrive before the answer of the run they were posted in.
import type { PipeEnd, Written } from "@nightshift/wasm-kernels/process";

/** `key` names the process: see StartOrder. */
export type Posted = OutputThere | ({ nightshift: "output" } & Written) | PipeClosed | ThreadStarted | WorkerBegun;
/** There is output in the ring: see output.ts. */
type OutputThere = { nightshift: "outputThere"; ring: SharedArrayBuffer };
type PipeClosed = { nightshift: "pipeClosed"; key: number; pipe: PipeEnd };
/** `thread` is its number in Linux. */
type ThreadStarted = { nightshift: "thread"; thread: number };
/** In browsers: it takes calls from now on. */
type WorkerBegun = { nightshift: "begun" };

/** The one message to a worker in browsers itself: where its calls come from and, where threads share memory, its renewer (renewal.ts). */
export interface WorkerPorts {
  agent: MessagePort;
  renewer: MessagePort | undefined;
}

export const isPosted = (message: unknown): message is Posted =>
  typeof message === "object" && message !== null && "nightshift" in message;
