// A program of its own: how long a computing process takes to stop once another thread asks it to, and how long and large its image
// is. Prints JSON (a Preemption). Usage: preemption-runner.ts JSON (a PreemptionTask)
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { acknowledgeOutput, encodeImage, Process, type ProcessOptions, Program } from "@nightshift/wasm-kernels/process";
import { optimiseWasm, zstdPacker } from "@nightshift/wasm-kernels/process/node";
import { type InputPaths, readInput } from "./input.ts";

optimiseWasm();

export interface Preemption {
  /** From requestStop in one thread until run() has returned in the other. */
  latencyMs: number[];
  /** Taking the image and encoding it, compressed. */
  captureMs: number[];
  /** A fresh instance from the image, ready to run. */
  restoreMs: number[];
  imageBytes: number[];
  memoryBytes: number;
}

export interface PreemptionTask {
  migratable: string;
  args: string[];
  input: InputPaths;
  samples: number;
}

const task = JSON.parse(process.argv[2] ?? "") as PreemptionTask;
const program = new Program("0".repeat(64), new Uint8Array(readFileSync(task.migratable)));
const { files } = await readInput(task.input);
const options: ProcessOptions = {
  program,
  pid: 1,
  parentPid: 0,
  seed: "1",
  args: ["program", ...task.args],
  env: {},
  files,
  memoryLimitBytes: 2 ** 30,
  clock: "virtual",
  now: () => Date.now(),
  cpuNow: () => 0,
  onOutput: (_stream, _offset, bytes) => acknowledgeOutput(control(), bytes.length),
  onPipeClosed: () => undefined,
};
const asker = new Worker(new URL("./asker.ts", import.meta.url));
const stamp = new SharedArrayBuffer(8);
const found: Preemption = { latencyMs: [], captureMs: [], restoreMs: [], imageBytes: [], memoryBytes: 0 };
let running = Process.start(options);
const control = (): SharedArrayBuffer => running.control;
// A program that ends or waits before it is asked begins anew; one that always does has no figures here.
for (let turn = 0; turn < 4 * task.samples && found.latencyMs.length < task.samples; turn++) {
  await running.prepare(); // as hosts do
  asker.postMessage({ control: control(), stamp });
  // The first runs of a fresh instance wait for the message to arrive at the worker; the stamp says when it asked.
  const stop = running.run();
  const at = performance.timeOrigin + performance.now();
  if (stop.kind !== "preempted") {
    // The request that is under way must not meet the new one.
    await new Promise((resolve) => setTimeout(resolve, 50));
    running = Process.start(options);
    continue;
  }
  found.latencyMs.push(at - (new Float64Array(stamp)[0] ?? at));
  let began = performance.now();
  const image = running.capture(false);
  found.imageBytes.push(encodeImage(image, zstdPacker).length);
  found.captureMs.push(performance.now() - began);
  found.memoryBytes = running.memoryBytes;
  const before = running;
  began = performance.now();
  running = Process.restore(options, image, null);
  found.restoreMs.push(performance.now() - began);
  before.leave();
}
await asker.terminate();
console.log(JSON.stringify(found));
