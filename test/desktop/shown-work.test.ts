// What is computed here, on the screensaver: real programs through a real coordinator and a real agent, whose windows are pages of a real Chromium. It is
// compared with what the programs print when they run alone.
import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { App, placesOn, type Shown, tilesIn } from "@nightshift/agent-app/desktop/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withoutChromium } from "../browser/chromium.ts";
import { Cluster, delay, local, until } from "../cluster.ts";
import { buildParts, ChromiumPort } from "./chromium-port.ts";

const MAIN = join(import.meta.dirname, "../../coordinator/cli/main.ts");
const SETTINGS = {
  ...{ mode: "always", startAfterSeconds: 0, busyAbovePercent: 100, memoryFreeAbovePercent: 0, diskFreeAboveMegabytes: 0 },
  ...{ batteryAbovePercent: 0, coolBelowCelsius: 120, onMeteredNetwork: true },
};
const LOOK = { width: 800, height: 500 };

/** The points of a P6 picture that a program prints. */
async function pointsOf(...args: string[]): Promise<Uint8Array> {
  const { stdout } = await local("render", args);
  const [header = ""] = /^P6\n\d+ \d+\n255\n/.exec(Buffer.from(stdout).toString("latin1")) ?? [];
  return stdout.subarray(header.length);
}

describe.skipIf(withoutChromium("the screensaver"))("the work on the screensaver", () => {
  let cluster: Cluster;
  let built: string;

  beforeAll(async () => {
    built = mkdtempSync(join(tmpdir(), "desktop-"));
    await buildParts(built);
    cluster = await Cluster.start();
  });
  afterAll(async () => {
    await cluster?.close();
  });

  /** A PC that has joined, with its screensaver shown unless told otherwise. */
  async function watched(host: string, showAtOnce = true) {
    const home = mkdtempSync(join(tmpdir(), "pc-"));
    const policyFile = join(home, "policy.json");
    writeFileSync(policyFile, JSON.stringify({ version: 1, defaults: SETTINGS }));
    const port = new ChromiumPort(built, { idleSeconds: 3600, locale: "en" }, LOOK);
    await port.launch();
    const app = new App(port, { home, host, slots: 1, policyFile });
    port.app = app;
    app.start({ kind: "app", link: null, hidden: true });
    app.join(cluster.hostLink);
    await until(`${host} has joined`, () => app.state().connected);
    if (showAtOnce) app.showScreensaver();
    const shown = (): Shown | null => app.shownSince(0).shown;
    const ended = (count: number): Promise<Shown> =>
      until(`${count} tiles have ended`, () => {
        const now = shown();
        return now !== null && now.tiles.filter(({ state }) => state === "ended").length === count && now;
      });
    const says = async (what: string): Promise<void> => {
      const page = await port.pageOf("screensaver");
      await until(`it says ${what}`, async () => (await page.getAttribute("canvas", "aria-label"))?.includes(what));
    };
    return { port, app, shown, ended, says, [Symbol.asyncDispose]: () => port.close() };
  }

  const pixels = (shown: Shown): (Uint8Array | undefined)[] =>
    shown.tiles.map(({ content }) => (content?.kind === "image" ? Uint8Array.from(content.picture.pixels) : undefined));

  test("a job file says what may be seen: its tiles fill with what is printed here, and a key ends it", async () => {
    await using desktop = await watched("nile");
    const job = {
      ...{ program: "render", name: "dusk", args: ["96", "4", "{tile}", "4"], parameters: { tile: "1..4" } },
      ...{ show: "image", hosts: ["nile"] },
    };
    const file = join(mkdtempSync(join(tmpdir(), "job-")), "job.json");
    writeFileSync(file, JSON.stringify(job));
    const env = { ...process.env, NIGHTSHIFT_HOME: cluster.home, NIGHTSHIFT_COORDINATOR: "" };
    await promisify(execFile)(process.execPath, [MAIN, "run", "-d", file], { env });
    const shown = await desktop.ended(4);
    expect(shown).toMatchObject({ name: "dusk", kind: "image", parts: 4, first: 1, places: 4 });
    const expected = await Promise.all(["1", "2", "3", "4"].map((tile) => pointsOf("96", "4", tile, "4")));
    expect(pixels(shown)).toEqual(expected.map((points) => Uint8Array.from(points)));

    await desktop.says("Picture rendered here: job 1, dusk, in 4 parts");
    const page = await desktop.port.pageOf("screensaver");
    const { work } = placesOn(LOOK.width, LOOK.height, true);
    if (!work) throw new Error("no place for the work");
    // In the middle of each tile is the colour that was rendered there, here and there a point further.
    const looked = await page.evaluate(
      (places) => {
        const canvas = document.querySelector("canvas");
        return places.map(({ x, y }) => [...(canvas?.getContext("2d")?.getImageData(x, y, 1, 1).data ?? [])].slice(0, 3));
      },
      tilesIn(work, 4, 48 / 36).map(({ x, y, width, height }) => ({
        x: Math.round(x + width / 2),
        y: Math.round(y + height / 4),
      })),
    );
    for (const [at, colour] of looked.entries()) {
      const near = [8, 9].flatMap((row) =>
        [23, 24].map((column) => expected[at]?.subarray((row * 48 + column) * 3).subarray(0, 3)),
      );
      for (const channel of [0, 1, 2]) {
        const values = near.map((point) => point?.[channel] ?? 0);
        expect(colour[channel]).toBeGreaterThanOrEqual(Math.min(...values) - 12);
        expect(colour[channel]).toBeLessThanOrEqual(Math.max(...values) + 12);
      }
    }
    await page.keyboard.press("a").catch(() => undefined);
    await until("it has gone", () => !desktop.port.windows.isOpen("screensaver"));
    expect([desktop.shown(), desktop.port.complaints]).toEqual([null, []]);
  });

  test("a picture that came in the middle is seen whole: one that was begun elsewhere, and one begun before anybody watched", async () => {
    await using desktop = await watched("osiris", false);
    await cluster.startAgent("amun");
    const args = ["160", "160"];
    const { job, pid } = await cluster.submit("render", args, { show: "image", startOn: "amun", stay: true });
    await until("it has printed rows", async () => {
      const [part] = await cluster.client.request("parts", { job, after: 0 });
      return (part?.stdoutBytes ?? 0) > 5_000;
    });
    await cluster.client.request("migrate", { pid, host: "osiris" });
    await until("it computes here", () => desktop.app.state().icon === "computing");
    expect(desktop.shown()).toBeNull();
    desktop.app.showScreensaver();
    await until("some is seen, and not all", () => {
      const [tile] = desktop.shown()?.tiles ?? [];
      return tile?.content?.kind === "image" && tile.state === "here" && tile.content.picture.rows > 10;
    });
    expect(pixels(await desktop.ended(1))).toEqual([Uint8Array.from(await pointsOf(...args))]);
  });

  test("a spectrum is searched: its highest bins are what was printed; work that is not to be seen is not", async () => {
    await using desktop = await watched("nut");
    const page = await desktop.port.pageOf("screensaver");
    await page.emulateMedia({ reducedMotion: "reduce" });
    const drawn = (): Promise<number> => page.evaluate(() => (globalThis as unknown as { drawn: number }).drawn);
    const before = await drawn();
    const closed = await cluster.submit("render", ["64", "4"], { onlyOn: ["nut"] });
    await cluster.end(closed);
    await delay(2_000);
    expect(desktop.shown()).toBeNull();
    // A process came and went; where nothing is to move that is a few pictures, not ten a second.
    expect((await drawn()) - before).toBeLessThan(15);
    const submitted = await cluster.submit("spectrum", ["2", "2", "1024"], { show: "spectrum", onlyOn: ["nut"] });
    const [tile] = (await desktop.ended(1)).tiles;
    const { stdout } = await cluster.end(submitted);
    const powers = stdout
      .trim()
      .split("\n")
      .map((line) => Number(line.split(" ")[1]));
    const bins = tile?.content?.kind === "spectrum" ? tile.content.bins.map(Number) : [];
    expect(powers).toHaveLength(2048);
    expect(Math.max(...bins)).toBe(Math.max(...powers));
    expect(bins.filter((bin) => bin > 20).length).toBeGreaterThan(0);
    await desktop.says("Spectrum searched here: job ");
    await desktop.app.setPolicy({ showWork: false });
    await until("it is not shown any more", () => desktop.shown() === null);
    expect(desktop.port.complaints).toEqual([]);
  });
});
