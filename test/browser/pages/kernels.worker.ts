// Times one kernel in this worker, which has run nothing before: plain, or migratable and never renewed.
import { Program, runLocally, runPlain } from "@nightshift/wasm-kernels/process";
import type { KernelOrder, Timed } from "./kernels.ts";

addEventListener("message", ({ data: { module: bytes, migratable, args } }: MessageEvent<KernelOrder>) => {
  const module = new WebAssembly.Module(bytes);
  const now = (): number => Date.now();
  const began = performance.now();
  const run = migratable
    ? runLocally({ program: new Program("0".repeat(64), bytes, module), args, now, cpuNow: () => 0 })
    : runPlain({ module, args, now });
  const seconds = (performance.now() - began) / 1000;
  const decoder = new TextDecoder();
  const output = [run.stdout]
    .flat()
    .map((part) => decoder.decode(part, { stream: true }))
    .join("");
  postMessage((run.stop.kind === "exit" ? { seconds, output } : { fault: JSON.stringify(run.stop) }) satisfies Timed);
});
