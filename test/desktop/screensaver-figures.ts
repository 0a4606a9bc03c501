// What the screensaver takes of a processor: node test/desktop/screensaver-figures.ts. Its window as it is built, in Chromium, a whole screen; a cluster of
// 300 hosts in which nothing changes, and one in which processes come, go and move all the time. Processor time of all of Chromium, which draws without a
// graphics card here.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { buildRenderer, fileFor, HEADERS, ORIGIN } from "@nightshift/agent-app/desktop/testing";
import { launchChromium } from "../browser/chromium.ts";

const SECONDS = 30;
const PAGE_ORIGIN = "https://nightshift";
const SCREEN = { width: 1920, height: 1080 };
const TICKS = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Seconds of processor time that this process's children, and theirs, have had. */
function taken(): number {
  const stats = new Map(
    readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .flatMap((pid): [number, { parent: number; ticks: number }][] => {
        try {
          const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(/\) (?=\w )/);
          const fields = rest.split(" ").map(Number);
          return [[Number(pid), { parent: fields[1] ?? 0, ticks: (fields[11] ?? 0) + (fields[12] ?? 0) }]];
        } catch {
          return []; // it has ended meanwhile
        }
      }),
  );
  const isBelow = (pid: number): boolean => {
    const parent = stats.get(pid)?.parent ?? 0;
    return parent === process.pid || (parent > 1 && isBelow(parent));
  };
  return [...stats].reduce((sum, [pid, { ticks }]) => sum + (isBelow(pid) ? ticks : 0), 0) / TICKS;
}

const state = (second: number, busy: boolean): unknown => {
  const moved = busy ? second : 0;
  const here = Array.from({ length: 4 }, (_, at) => ({
    pid: at + 4 * Math.floor(moved / 10),
    state: "running",
    command: "render",
    work: null,
  }));
  return {
    ...{
      headline: "Computing",
      icon: "computing",
      language: "en",
      coordinator: { address: "pool.example:7433" },
      processes: here,
    },
    cluster: { online: 300, computing: 210 + (moved % 3), owners: 70, processes: 400, moves: 20 * Math.floor(moved / 5) },
  };
};

const built = mkdtempSync(join(tmpdir(), "screensaver-"));
try {
  await buildRenderer(join(built, "renderer"));
  const browser = await launchChromium();
  const page = await browser.newPage({ viewport: SCREEN });
  await page.addInitScript(() => {
    const listeners: ((state: unknown) => void)[] = [];
    Object.assign(globalThis, {
      tell: (told: unknown) => {
        for (const listener of listeners) listener(told);
      },
      nightshift: {
        ask: async () => ({ ok: false, code: "NS_USAGE", message: "" }),
        onState: (listener: (state: unknown) => void) => listeners.push(listener),
      },
    });
  });
  await page.route("**/*", async (route) => {
    const file = fileFor(route.request().url().replace(PAGE_ORIGIN, ORIGIN));
    if (!file) return route.abort();
    return route.fulfill({
      body: readFileSync(join(built, "renderer", file.path)),
      headers: { ...HEADERS, "Content-Type": file.type },
    });
  });
  await page.goto(`${PAGE_ORIGIN}/screensaver.html`);
  console.log(`${cpus().length} cores of ${cpus()[0]?.model}, ${SCREEN.width} x ${SCREEN.height}, Chromium ${browser.version()}`);
  for (const busy of [false, true]) {
    let second = 0;
    const tell = (): Promise<void> =>
      page.evaluate((told) => (globalThis as unknown as { tell(told: unknown): void }).tell(told), state(second++, busy));
    await tell();
    await page.waitForTimeout(6_000); // what comes has come
    const [before, began] = [taken(), performance.now()];
    const drawn = (): Promise<number> => page.evaluate(() => (globalThis as unknown as { drawn: number }).drawn);
    const first = await drawn();
    while (performance.now() - began < SECONDS * 1000) {
      await tell();
      await page.waitForTimeout(1_000);
    }
    const part = (taken() - before) / ((performance.now() - began) / 1000);
    console.log(
      `${busy ? "moving" : "still"}: ${(100 * part).toFixed(1)} % of one core, ${(await drawn()) - first} pictures in ${SECONDS} s`,
    );
  }
  await browser.close();
} finally {
  rmSync(built, { recursive: true, force: true });
}
