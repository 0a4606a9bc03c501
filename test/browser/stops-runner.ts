// A program of its own: how long a process in a tab takes to stop, in each browser that there is, where threads share memory (isolated) and where they do
// not, as over plain http. Prints JSON (TabStops[]). Usage: stops-runner.ts MIGRATABLE SAMPLES ARGS...
import { readFileSync } from "node:fs";
import { ENGINES, openIn } from "./engines.ts";
import type { KernelOrder } from "./pages/kernels.ts";

export interface TabStops {
  browser: string;
  version: string;
  isolated: boolean;
  /** From the word in the page's thread until the page knows that the process has stopped, in milliseconds. */
  latencyMs: number[];
}

interface StopsPage {
  stops(asked: { order: KernelOrder; samples: number }): Promise<number[]>;
}

const [file = "", samples = "1", ...args] = process.argv.slice(2);
const order: KernelOrder = { module: new Uint8Array(readFileSync(file)), migratable: true, args: ["program", ...args] };
const found: TabStops[] = [];
for (const engine of ENGINES.filter(({ missing }) => missing === undefined))
  for (const isolated of [true, false]) {
    await using opened = await openIn(engine, "kernels", isolated);
    const asked = { order, samples: Number(samples) };
    const latencyMs = await opened.tab.evaluate((it) => (globalThis as unknown as StopsPage).stops(it), asked);
    found.push({ browser: engine.name, version: opened.browser.version, isolated, latencyMs });
  }
console.log(JSON.stringify(found));
