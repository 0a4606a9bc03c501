// How smooth the console's map is at scale: node test/browser/map-figures.ts. The real console in Chromium with hosts and processes that are made
// up; ten times a second 100 processes move and 100 hosts change. Frames a second, the longest wait for one, and how much the page computes.
import { Cluster } from "../cluster.ts";
import { ensureConsole, openConsole } from "./console-stage.ts";
import { madeUpHost, madeUpProcess, makeUp } from "./made-up-hosts.ts";

const MEASURED_MS = 10_000;
const CHANGES_MS = 100;
const AT_ONCE = 100;

interface Figures {
  frames: number;
  longestMs: number;
}

/** In the page. @param scrolling whether it is scrolled meanwhile */
const watchFrames = ({ ms, scrolling }: { ms: number; scrolling: boolean }): Promise<Figures> =>
  new Promise((resolve) => {
    const began = performance.now();
    const box = document.querySelector(".map-view") ?? document.documentElement;
    let [frames, longestMs, last] = [0, 0, began];
    const frame = (): void => {
      const now = performance.now();
      frames++;
      longestMs = Math.max(longestMs, now - last);
      last = now;
      if (scrolling) box.scrollTop = (Math.sin(frames / 40) + 1) * 0.5 * (box.scrollHeight - box.clientHeight);
      if (now - began >= ms) resolve({ frames: frames / ((now - began) / 1000), longestMs });
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });

await ensureConsole();
for (const [hosts, processes, width, height, deviceScaleFactor] of [
  [1000, 100_000, 1440, 900, 1],
  [10_000, 0, 1440, 900, 1],
  [10_000, 100_000, 1440, 900, 1],
  [1000, 100_000, 360, 740, 3],
] as const) {
  await using cluster = await Cluster.start();
  await using open = await openConsole(cluster, { viewport: { width, height }, deviceScaleFactor });
  const { page, url } = open;
  let random = 1;
  const any = (most: number): number => {
    random = (random * 48271) % 0x7fffffff;
    return 1 + (random % most);
  };
  await using madeUp = await makeUp(
    page,
    Array.from({ length: hosts }, (_, at) => madeUpHost(at + 1)),
    Array.from({ length: processes }, (_, at) => madeUpProcess(at + 1, 1 + (at % hosts))),
  );
  const began = performance.now();
  await page.goto(url);
  await page.getByRole("application", { name: `Map of ${hosts.toLocaleString("en-GB")} hosts` }).waitFor({ timeout: 120_000 });
  await page.getByText("Live", { exact: true }).waitFor({ timeout: 120_000 });
  const firstMs = performance.now() - began;
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const busy = async (): Promise<number> =>
    (await session.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
  let turn = 0;
  const timer = setInterval(() => {
    turn++;
    const numbers = Array.from({ length: AT_ONCE }, () => any(hosts));
    madeUp.send({
      hosts: numbers.map((number) => madeUpHost(number, { running: turn % 9 })),
      processes: processes === 0 ? [] : numbers.map(() => madeUpProcess(any(processes), any(hosts), turn)),
    });
  }, CHANGES_MS);
  const { width: drawnWidth, height: drawnHeight } = await page
    .locator("canvas")
    .first()
    .evaluate((canvas: HTMLCanvasElement) => ({ width: canvas.width, height: canvas.height }));
  console.log(
    `${hosts} hosts, ${processes} processes, ${width}x${height}@${deviceScaleFactor}: canvas ${drawnWidth}x${drawnHeight}, whole after ${(firstMs / 1000).toFixed(1)} s`,
  );
  for (const scrolling of [false, true]) {
    const before = await busy();
    const at = performance.now();
    const { frames, longestMs } = await page.evaluate(watchFrames, { ms: MEASURED_MS, scrolling });
    const share = ((await busy()) - before) / ((performance.now() - at) / 1000);
    console.log(
      `  ${scrolling ? "scrolling" : "at rest"}: ${frames.toFixed(1)} frames a second, longest ${longestMs.toFixed(0)} ms, page busy ${(100 * share).toFixed(0)} %`,
    );
  }
  clearInterval(timer);
}
