// The thread that asks a computing process to stop, for preemption-runner.ts: after 5 to 25 ms, noting when it asked.
import { parentPort } from "node:worker_threads";
import { requestStop } from "@nightshift/wasm-kernels/process";

parentPort?.on("message", ({ control, stamp }: { control: SharedArrayBuffer; stamp: SharedArrayBuffer }) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + Math.random() * 20);
  new Float64Array(stamp)[0] = performance.timeOrigin + performance.now();
  requestStop(control);
});
