// A program of its own, started confined to one core with V8's optimising tier: times one kernel natively, as plain and as migratable
// WebAssembly, in turns, and prints the seconds of every round as JSON. Compiling is not counted; starting an instance is, and for the
// native program starting its process. Usage: kernel-runner.ts JSON (a KernelTask)
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Program, runLocally, runPlain } from "@nightshift/wasm-kernels/process";
import { optimiseWasm } from "@nightshift/wasm-kernels/process/node";

optimiseWasm();

export interface KernelTask {
  plain: string;
  migratable: string;
  native: string | null;
  args: string[];
  rounds: number;
}

export interface KernelTimes {
  plain: number[];
  migratable: number[];
  native: number[];
}

const task = JSON.parse(process.argv[2] ?? "") as KernelTask;
const module = new WebAssembly.Module(readFileSync(task.plain));
const program = new Program("0".repeat(64), new Uint8Array(readFileSync(task.migratable)));
const args = ["program", ...task.args];
const now = (): number => Date.now();
const times: KernelTimes = { plain: [], migratable: [], native: [] };

function timed(into: number[], work: () => Uint8Array): Uint8Array {
  const began = performance.now();
  const output = work();
  into.push((performance.now() - began) / 1000);
  return output;
}

for (let round = 0; round < task.rounds; round++) {
  const plain = timed(times.plain, () => Buffer.concat(runPlain({ module, args, now }).stdout));
  const migratable = timed(times.migratable, () => runLocally({ program, args, now, cpuNow: () => 0 }).stdout);
  if (!Buffer.from(plain).equals(migratable)) throw new Error("plain and migratable WebAssembly give different output");
  const { native } = task;
  if (native !== null) timed(times.native, () => spawnSync(native, task.args, { maxBuffer: 2 ** 28, input: "" }).stdout);
}
console.log(JSON.stringify(times));
