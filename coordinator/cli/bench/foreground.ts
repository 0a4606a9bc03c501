// The owner's own work, for `bench owner`: `foreground.ts THREADS STEPS` computes on so many threads at ordinary priority and prints the
// seconds until the last has ended. Started as a program of its own.
import { once } from "node:events";
import { Worker } from "node:worker_threads";

const WORK = `
const { parentPort, workerData } = require("node:worker_threads");
const work = (steps) => { let x = 88172645; for (let i = 0; i < steps; i++) { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; } return x; };
work(1e7);
parentPort.postMessage("ready");
parentPort.once("message", () => parentPort.postMessage(work(workerData)));
`;

const [threads = 1, steps = 1e8] = process.argv.slice(2).map(Number);
const workers = Array.from({ length: threads }, () => new Worker(WORK, { eval: true, workerData: steps }));
await Promise.all(workers.map((worker) => once(worker, "message")));
const began = performance.now();
const done = workers.map((worker) => once(worker, "message"));
for (const worker of workers) worker.postMessage("go");
await Promise.all(done);
console.log((performance.now() - began) / 1000);
for (const worker of workers) void worker.terminate();
