// How soon each page of the console is there for somebody who comes for the first time: node test/browser/first-view-figures.ts. Chromium with an
// empty cache, over loopback, a coordinator with two real hosts and some jobs. Shown: first contentful paint. Interactive: from then on the
// page's thread has answered within 50 ms (no long task) for half a second, and the page's heading stands.
import { cpus } from "node:os";
import { Cluster, until } from "../cluster.ts";
import { ensureConsole, openConsole } from "./console-stage.ts";

const ROUNDS = 9;
const QUIET_MS = 500;
const PAGES = ["/", "/jobs", "/jobs/1", "/submit", "/hosts", "/overhead", "/policies", "/join", "/people", "/events", "/credit"];

interface View {
  shownMs: number;
  interactiveMs: number;
  bytes: number;
}

/** In the page. */
const watchView = (quietMs: number): Promise<View> =>
  new Promise((resolve) => {
    let [shownMs, busyUntil, headedMs] = [0, 0, 0];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.entryType === "longtask") busyUntil = Math.max(busyUntil, entry.startTime + entry.duration);
        else if (entry.name === "first-contentful-paint") shownMs = entry.startTime;
      }
    }).observe({ entryTypes: ["longtask", "paint"] });
    for (const entry of performance.getEntriesByName("first-contentful-paint")) shownMs = entry.startTime;
    const timer = setInterval(() => {
      if (headedMs === 0 && document.querySelector("main h1")) headedMs = performance.now();
      const interactiveMs = Math.max(shownMs, headedMs, busyUntil);
      if (shownMs === 0 || headedMs === 0 || performance.now() - interactiveMs < quietMs) return;
      clearInterval(timer);
      const loaded = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
      const bytes = loaded.reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).transferSize, 0);
      resolve({ shownMs, interactiveMs, bytes });
    }, 5);
  });

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

await ensureConsole();
await using cluster = await Cluster.start({ agents: ["amun", "ipc256"] });
for (let job = 0; job < 5; job++) await cluster.run("hello", []);
await using open = await openConsole(cluster);
const storageState = await open.page.context().storageState();
await open.page.close();
const views = PAGES.map((): View[] => []);
for (let round = 0; round < ROUNDS; round++) {
  for (const [at, path] of PAGES.entries()) {
    const context = await open.browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", storageState });
    const page = await context.newPage();
    await page.addInitScript(`globalThis.view = (${watchView})(${QUIET_MS})`);
    await page.goto(open.url + path);
    views[at]?.push(await page.evaluate(() => (globalThis as unknown as { view: Promise<View> }).view));
    await until("its heading is there", async () => (await page.locator("main h1").count()) > 0);
    await context.close();
  }
}
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores of ${cpus()[0]?.model}, Chromium ${open.browser.version()}`,
);
for (const [at, path] of PAGES.entries()) {
  const all = views[at] ?? [];
  const of = (key: keyof View): string => median(all.map((view) => view[key])).toFixed(0);
  const worst = Math.max(...all.map(({ interactiveMs }) => interactiveMs)).toFixed(0);
  console.log(`${path}: shown ${of("shownMs")} ms, interactive ${of("interactiveMs")} ms (worst ${worst}), ${of("bytes")} bytes`);
}
