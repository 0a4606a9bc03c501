// A program of its own, started confined to one core: runs a plain WebAssembly module again and again after compiling it once, and
// prints the seconds of each run as a JSON array. Usage: plain-runner.ts MODULE RUNS ARGS...
import { readFileSync } from "node:fs";
import { runPlain } from "@nightshift/wasm-kernels/process";
import { optimiseWasm } from "@nightshift/wasm-kernels/process/node";

optimiseWasm();

const [file = "", runs = "1", ...args] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(file));
const seconds: number[] = [];
for (let run = 0; run < Number(runs); run++) {
  const began = performance.now();
  const { stop } = runPlain({ module, args: ["program", ...args], now: () => Date.now() });
  seconds.push((performance.now() - began) / 1000);
  if (stop.kind !== "exit" || stop.code !== 0) throw new Error(`the program failed: ${JSON.stringify(stop)}`);
}
console.log(JSON.stringify(seconds));
