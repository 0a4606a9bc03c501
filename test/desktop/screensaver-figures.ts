// What the screensaver takes of a processor: node test/desktop/screensaver-figures.ts [VIEW]. Its window as it is built, in Chromium, a whole screen; a cluster of
// 300 hosts in which nothing changes, and one in which processes come, go and move all the time; and the work itself, a picture in 16 parts and 24 spectra, of
// which nothing changes, or every second what two of them have printed. Processor time of all of Chromium, which draws without a graphics card here.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { buildRenderer, fileFor, HEADERS, ORIGIN, type Shown } from "@nightshift/agent-app/desktop/testing";
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

type View =
  | "still"
  | "moving"
  | "picture, still"
  | "picture, two tiles a second"
  | "spectra, still"
  | "spectra, two lines a second";
const VIEWS: readonly View[] = [
  ...(["still", "moving", "picture, still", "picture, two tiles a second"] as const),
  ...(["spectra, still", "spectra, two lines a second"] as const),
].filter((view) => view.includes(process.argv[2] ?? ""));

/** As many points as all tiles together have at most. */
const TILE = { width: 182, height: 136 };

/** What a window is told of the work: the first time everything, then what has changed. */
function workOf(view: View, second: number): Shown {
  const kind = view.startsWith("picture") ? "image" : "spectrum";
  const parts = kind === "image" ? 16 : 24;
  const changed =
    second === 0 ? Array.from({ length: parts }, (_, at) => at + 1) : [1 + (second % parts), 1 + ((second + 5) % parts)];
  const tiles = changed.map((part): Shown["tiles"][number] => {
    const pixels = Uint8Array.from({ length: TILE.width * TILE.height * 3 }, (_, at) => (at * 7 + part * 31 + second) % 256);
    const picture = { ...TILE, rows: TILE.height, pixels };
    const bins = Array.from({ length: 256 }, (_, at) => ((at * 7919 + part * 31 + second) % 97) / (at % 50 === 0 ? 1 : 20));
    return { part, state: "here", content: kind === "image" ? { kind, picture } : { kind, bins } };
  });
  return { job: 1, name: "dusk", by: "ada", kind, parts, first: 1, places: parts, tiles };
}

const state = (second: number, view: View): unknown => {
  const moved = view === "moving" ? second : 0;
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
      shownVersion: view === "still" || view === "moving" ? 0 : view.endsWith("still") ? 1 : 1 + second,
    },
    cluster: { online: 300, computing: 210 + (moved % 3), owners: 70, processes: 400, moves: 20 * Math.floor(moved / 5) },
  };
};

const built = mkdtempSync(join(tmpdir(), "screensaver-"));
try {
  await buildRenderer(join(built, "renderer"));
  const browser = await launchChromium();
  const page = await browser.newPage({ viewport: SCREEN });
  let work: { version: number; shown: Shown } | null = null;
  await page.exposeFunction("workNow", () => work);
  await page.addInitScript(() => {
    const listeners: ((state: unknown) => void)[] = [];
    Object.assign(globalThis, {
      tell: (told: unknown) => {
        for (const listener of listeners) listener(told);
      },
      nightshift: {
        ask: async (name: string) => {
          if (name === "shown") return (globalThis as unknown as { workNow(): Promise<unknown> }).workNow();
          throw new Error("not asked here");
        },
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
  console.log(`${cpus().length} cores of ${cpus()[0]?.model}, ${SCREEN.width} x ${SCREEN.height}, Chromium ${browser.version()}`);
  for (const view of VIEWS) {
    await page.goto(`${PAGE_ORIGIN}/screensaver.html`);
    let second = 0;
    const tell = (): Promise<void> => {
      work = { version: 1 + second, shown: workOf(view, second) };
      return page.evaluate((told) => (globalThis as unknown as { tell(told: unknown): void }).tell(told), state(second++, view));
    };
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
    console.log(`${view}: ${(100 * part).toFixed(1)} % of one core, ${(await drawn()) - first} pictures in ${SECONDS} s`);
  }
  await browser.close();
} finally {
  rmSync(built, { recursive: true, force: true });
}
