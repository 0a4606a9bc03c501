// How soon what computes can be ended without its help: node test/desktop/kill-figures.ts. A loop without a poll, in a Web Worker of a page (as a
// hidden window of the tray app would have it), in a worker thread, and in a process of its own that is killed; each time from the word until the
// system has no such thread any more.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { Worker } from "node:worker_threads";
import { launchChromium } from "../browser/chromium.ts";

const ROUNDS = 20;
const COMPUTING_MS = 300;
const LOOK_MS = 1;
/** (module (func (export "f") (loop (br 0)))) */
const FOREVER =
  "new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of(0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,7,5,1,1,102,0,0,10,9,1,7,0,3,64,12,0,11,11))).exports.f()";

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const now = (): number => performance.timeOrigin + performance.now();

/** Threads of all processes that are called so, as "pid/thread". */
function threads(name: string): Set<string> {
  const found = new Set<string>();
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`))
        if (readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8").trim() === name) found.add(`${pid}/${thread}`);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** Milliseconds from the word until it has ended. */
type Ending = () => Promise<number>;

async function webWorker(): Promise<{ end: Ending; close(): Promise<void> }> {
  const browser = await launchChromium();
  const page = await browser.newPage();
  const end = async (): Promise<number> => {
    const before = threads("DedicatedWorker");
    await page.evaluate((code) => {
      const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
      Object.assign(globalThis, { computing: new Worker(url) });
    }, FOREVER);
    await delay(COMPUTING_MS);
    const [made] = [...threads("DedicatedWorker")].filter((thread) => !before.has(thread));
    if (made === undefined) throw new Error("the worker has no thread");
    const told = await page.evaluate(() => {
      const at = performance.timeOrigin + performance.now();
      (globalThis as unknown as { computing: { terminate(): void } }).computing.terminate();
      return at;
    });
    while (threads("DedicatedWorker").has(made)) await delay(LOOK_MS);
    return now() - told;
  };
  return { end, close: () => browser.close() };
}

async function workerThread(): Promise<number> {
  const worker = new Worker(FOREVER, { eval: true });
  await delay(COMPUTING_MS);
  const told = now();
  const ended = once(worker, "exit");
  void worker.terminate();
  await ended;
  return now() - told;
}

async function ownProcess(): Promise<number> {
  const code = `new (require("node:worker_threads").Worker)(${JSON.stringify(FOREVER)}, { eval: true })`;
  const child = spawn(process.execPath, ["-e", code], { stdio: "ignore" });
  await delay(COMPUTING_MS);
  const told = now();
  child.kill("SIGKILL");
  await once(child, "exit");
  return now() - told;
}

const page = await webWorker();
const ways: [string, Ending][] = [
  ["Web Worker, terminate()", page.end],
  ["worker thread, terminate()", workerThread],
  ["process, SIGKILL", ownProcess],
];
const figures = ways.map((): number[] => []);
for (let round = 0; round < ROUNDS; round++) for (const [at, [, end]] of ways.entries()) figures[at]?.push(await end());
await page.close();
console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores of ${cpus()[0]?.model}, ${ROUNDS} rounds`);
for (const [at, [name]] of ways.entries()) {
  const sorted = (figures[at] ?? []).toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  console.log(`${name}: median ${middle.toFixed(1)} ms, worst ${(sorted.at(-1) ?? 0).toFixed(1)} ms`);
}
