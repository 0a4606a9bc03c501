// A program of its own: times one kernel once in Chromium in each of the ways below, each in a browser that has just started, and as hosts run it in the
// other browsers that there are; prints the seconds as JSON (a BrowserTimes), null where the stack of a browser's worker is too small for it.
// Usage: kernel-runner.ts PLAIN MIGRATABLE ARGS...
import { readFileSync } from "node:fs";
import { openPage } from "./chromium.ts";
import { ENGINES, openIn } from "./engines.ts";
import type { Hosted, KernelOrder, Timed } from "./pages/kernels.ts";

export interface BrowserTimes {
  /** Of each browser, Chromium first: how the program's second process in the same thread does, migratable and as hosts run it. */
  warm: Record<string, { version: string; seconds: number | null }>;
  /** The plain module, all of it compiled by the optimising compiler beforehand: what no page gets. */
  optimised: number | null;
  plain: number | null;
  migratable: number | null;
  /** Migratable, renewed now and then, as hosts run it. */
  renewed: number | null;
}

interface KernelPage {
  alone(order: KernelOrder): Promise<Timed>;
  hosted(order: KernelOrder): Promise<Hosted>;
}

const [plainFile = "", migratableFile = "", ...args] = process.argv.slice(2);
const read = (file: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(file));
const plain: KernelOrder = { module: read(plainFile), migratable: false, args: ["program", ...args] };
const migratable: KernelOrder = { ...plain, module: read(migratableFile), migratable: true };
const warm: BrowserTimes["warm"] = {};
let output: string | undefined;

/** null: too little stack. @throws when it failed, or printed something else than before */
function checked<T extends Timed>(timed: T): Exclude<T, { fault: string }> | null {
  if ("fault" in timed) {
    if (timed.fault.includes("NS_STACK_OVERFLOW")) return null;
    throw new Error(`the program failed: ${timed.fault}`);
  }
  output ??= timed.output;
  if (timed.output !== output) throw new Error("the ways to run it give different output");
  return timed as Exclude<T, { fault: string }>;
}

async function alone(order: KernelOrder, v8Flags: readonly string[] = []): Promise<number | null> {
  await using opened = await openPage("kernels", { isolated: true, v8Flags });
  return checked(await opened.page.evaluate((it) => (globalThis as unknown as KernelPage).alone(it), order))?.seconds ?? null;
}

const times = {
  optimised: await alone(plain, ["--no-liftoff", "--no-wasm-lazy-compilation"]),
  plain: await alone(plain),
  migratable: await alone(migratable),
};
let renewed: number | null = null;
for (const engine of ENGINES.filter(({ missing }) => missing === undefined)) {
  await using opened = await openIn(engine, "kernels", true);
  const timed = checked(await opened.tab.evaluate((it) => (globalThis as unknown as KernelPage).hosted(it), migratable));
  if (engine.name === "Chromium") renewed = timed?.seconds ?? null;
  warm[engine.name] = { version: opened.browser.version, seconds: timed?.warm ?? null };
}
console.log(JSON.stringify({ ...times, renewed, warm } satisfies BrowserTimes));
