// A program of its own: times one kernel once in Chromium in each of the ways below, each in a browser that has just started, and prints the
// seconds as JSON (a BrowserTimes), null where the stack of a browser's worker is too small for it. Usage: kernel-runner.ts PLAIN MIGRATABLE ARGS...
import { readFileSync } from "node:fs";
import { openPage } from "./chromium.ts";
import type { KernelOrder, Timed } from "./pages/kernels.ts";

export interface BrowserTimes {
  version: string;
  /** The plain module, all of it compiled by the optimising compiler beforehand: what no page gets. */
  optimised: number | null;
  plain: number | null;
  migratable: number | null;
  /** Migratable, renewed now and then, as hosts run it. */
  renewed: number | null;
}

type KernelPage = Record<"alone" | "hosted", (order: KernelOrder) => Promise<Timed>>;

const [plainFile = "", migratableFile = "", ...args] = process.argv.slice(2);
const read = (file: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(file));
const plain: KernelOrder = { module: read(plainFile), migratable: false, args: ["program", ...args] };
const migratable: KernelOrder = { ...plain, module: read(migratableFile), migratable: true };
let version = "";
let output: string | undefined;

async function time(how: keyof KernelPage, order: KernelOrder, v8Flags: readonly string[] = []): Promise<number | null> {
  await using opened = await openPage("kernels", { isolated: true, v8Flags });
  version = opened.version;
  const timed = await opened.page.evaluate((asked) => (globalThis as unknown as KernelPage)[asked.how](asked.order), {
    how,
    order,
  } as const);
  if ("fault" in timed) {
    if (timed.fault.includes("NS_STACK_OVERFLOW")) return null;
    throw new Error(`the program failed: ${timed.fault}`);
  }
  output ??= timed.output;
  if (timed.output !== output) throw new Error("the ways to run it give different output");
  return timed.seconds;
}

const times = {
  optimised: await time("alone", plain, ["--no-liftoff", "--no-wasm-lazy-compilation"]),
  plain: await time("alone", plain),
  migratable: await time("alone", migratable),
  renewed: await time("hosted", migratable),
};
console.log(JSON.stringify({ version, ...times } satisfies BrowserTimes));
