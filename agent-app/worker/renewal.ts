// When processes are renewed in browsers: soon after they began to compute, so that long loops get into optimised code, and then now and
// then, as they may have got into another one. A thread of its own keeps the time, as one that computes hears no timer.
import { requestRenewal } from "@nightshift/wasm-kernels/process";
import type { Renewal } from "./process-worker.ts";

/** How often the thread looks at who computes. */
export const TICK_MS = 50;
/**
 * Ticks of computing after which a process is renewed. The first time it gets into the continuation of the place where it was, which
 * is optimised in the background within milliseconds, the next time into that code; but with several hot loops it may be at a place where it has
 * not been yet, so there are more times. They cost some microseconds for each frame on the stack.
 */
const FIRST_TICKS: readonly number[] = [1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 30];
/** And afterwards once a second, as it may have got into another loop. */
const LATER_TICKS = 20;

export const isDue = (ticks: number): boolean => FIRST_TICKS.includes(ticks) || (ticks > 30 && ticks % LATER_TICKS === 0);

/** What the thread is told: the key of the process that computes, which is 0 for none, is in `computing`. */
export type ToRenewer =
  | { kind: "begin"; computing: Int32Array<SharedArrayBuffer> }
  | { kind: "entered"; key: number; control: SharedArrayBuffer }
  | { kind: "left"; key: number };

/** The computing thread's side. */
export function renewalBy(renewer: { postMessage(message: ToRenewer): void }): Renewal {
  const computing = new Int32Array(new SharedArrayBuffer(4));
  renewer.postMessage({ kind: "begin", computing });
  return {
    entered: (key, control) => renewer.postMessage({ kind: "entered", key, control }),
    computing: (key) => void Atomics.store(computing, 0, key ?? 0),
    left: (key) => renewer.postMessage({ kind: "left", key }),
  };
}

/** The other thread's side; `tick` is to be called every TICK_MS. */
export class Renewer {
  private computing: Int32Array<SharedArrayBuffer> | undefined;
  private readonly processes = new Map<number, { control: SharedArrayBuffer; ticks: number }>();

  told(message: ToRenewer): void {
    if (message.kind === "begin") this.computing = message.computing;
    else if (message.kind === "entered") this.processes.set(message.key, { control: message.control, ticks: 0 });
    else this.processes.delete(message.key);
  }

  tick(): void {
    const process = this.computing && this.processes.get(Atomics.load(this.computing, 0));
    if (process && isDue(++process.ticks)) requestRenewal(process.control);
  }
}
