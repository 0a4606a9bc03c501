// The console's map and choice of hosts in a real Chromium, with as many hosts as it takes, told apart without colours, and by finger.
import type { Locator, Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { violationsOf } from "./axe.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, openConsole, SPIN, submit } from "./console-stage.ts";
import { madeUpHost, madeUpProcess, makeUp } from "./made-up-hosts.ts";

const without = withoutChromium("the console's map");
const HOSTS = 10_000;

beforeAll(ensureConsole);

/** The share of points on which something is drawn. */
const drawnShare = (canvas: Locator): Promise<number> =>
  canvas.evaluate((element: HTMLCanvasElement) => {
    const { data = [] } = element.getContext("2d")?.getImageData(0, 0, element.width, element.height) ?? {};
    let drawn = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] !== 0) drawn++;
    return drawn / (data.length / 4);
  });

const boxOf = async (canvas: Locator): Promise<{ x: number; y: number; width: number; height: number }> => {
  const box = await canvas.boundingBox();
  if (!box) throw new Error("the map is not shown");
  return box;
};

test.skipIf(without)(
  "ten thousand hosts are drawn, on a canvas as large as the view, and a click opens the host it hits",
  async () => {
    await using cluster = await Cluster.start();
    await using open = await openConsole(cluster);
    const { page, url } = open;
    const hosts = Array.from({ length: HOSTS }, (_, at) => madeUpHost(at + 1));
    await using _made = await makeUp(page, hosts, [madeUpProcess(1, 1)]);
    await page.goto(url);
    const map = page.getByRole("application", { name: "Map of 10,000 hosts" });
    await map.waitFor();
    const size = await map.evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height]);
    const box = await boxOf(map);
    expect(size).toEqual([Math.round(box.width), Math.round(box.height)]);
    expect(box.height).toBeLessThan(900);
    await until("it is drawn", async () => (await drawnShare(map)) > 0.5);

    /** Name of the host at a point, as the line below the map says. */
    const nameAt = async (x: number, y: number): Promise<string> => {
      await page.mouse.move(box.x + x, box.y + y);
      return /^pc\d+/.exec(await page.locator(".map-status").innerText())?.[0] ?? "";
    };
    await until("the first is found", async () => (await nameAt(3, 3)) === "pc00001");
    let across = 4;
    while ((await nameAt(across, 3)) !== "pc00002") across++;
    let down = 4;
    while (["", "pc00001"].includes(await nameAt(3, down))) down++;
    const columns = Number((await nameAt(3, down)).slice(2)) - 1;
    expect(columns).toBe(Math.floor((box.width + 2) / across));
    // rows that are far outside the first view
    await page.locator(".map-view").evaluate((view, top) => view.scrollTo(0, top), 100 * down);
    await until("the middle is drawn too", async () => (await drawnShare(map)) > 0.5);
    await page.mouse.click(box.x + 5 * across + 3, box.y + 2 * down + 3);
    const expected = `pc${String(102 * columns + 6).padStart(5, "0")}`;
    await page.getByRole("complementary", { name: expected }).waitFor();
    expect(page.url()).toBe(`${url}/?host=${expected}`);

    await map.focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "pc10000" }).waitFor();
    // It is in sight: the view was scrolled to it.
    const rest = await page.locator(".map-view").evaluate((view) => view.scrollHeight - view.scrollTop - view.clientHeight);
    expect(rest).toBeLessThan(20);
  },
);

test.skipIf(without)(
  "a process moves to one of a thousand hosts that is searched for, by keyboard; a dialog shows some of them",
  async () => {
    await using cluster = await Cluster.start();
    await using open = await openConsole(cluster);
    const { page, url } = open;
    const hosts = Array.from({ length: 1000 }, (_, at) => madeUpHost(at + 1, at === 499 ? { block: true } : {}));
    await using _made = await makeUp(
      page,
      hosts,
      Array.from({ length: 20 }, (_, at) => madeUpProcess(at + 1, 1)),
    );
    await page.goto(`${url}/?host=pc00001`);
    const button = page.getByRole("button", { name: "Move process 7 to a host" });
    await button.focus();
    expect(await page.locator("aside option").count()).toBe(0);
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Move process 7 to a host" });
    await dialog.getByText("50 of 998 hosts").waitFor();
    expect(await dialog.getByRole("listitem").count()).toBe(50);
    expect(await violationsOf(page, "the choice")).toEqual([]);
    await page.keyboard.type("pc0050");
    // One of the ten is blocked.
    await dialog.getByText("9 of 9 hosts").waitFor();
    for (let turn = 0; turn < 3; turn++) await page.keyboard.press("ArrowDown");
    const asked = page.waitForRequest("**/migrate");
    await page.keyboard.press("Enter");
    expect((await asked).postDataJSON()).toEqual({ host: String(503).padStart(64, "0") });
    await dialog.waitFor({ state: "detached" });
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
  },
);

test.skipIf(without)(
  "every state of a host has its own look without colours, in either theme; nothing is dropped on a blocked one",
  async () => {
    await using cluster = await Cluster.start();
    await using open = await openConsole(cluster);
    const { page, url } = open;
    const tags = ["lab", "site:north"];
    const hosts = [madeUpHost(1, { slots: 1, tags }), madeUpHost(2, { slots: 1, block: true, state: "idle" })];
    await using _made = await makeUp(page, hosts, [madeUpProcess(1, 1)]);
    await page.goto(`${url}/?group=none`);
    const map = page.getByRole("application", { name: "Map of 2 hosts" });
    await map.waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await expect.poll(() => alike(page), { timeout: 5_000, message: colorScheme }).toEqual([]);
    }
    const box = await boxOf(map);
    await until("the process is there", async () => {
      await page.mouse.move(box.x + 24, box.y + 40);
      await page.mouse.move(box.x + 25, box.y + 41);
      return (await map.getAttribute("title"))?.startsWith("Process 1 ");
    });
    await page.mouse.down();
    await page.mouse.move(box.x + 250, box.y + 90, { steps: 3 });
    expect(await map.evaluate((canvas: HTMLElement) => canvas.style.cursor)).toBe("no-drop");
    await page.mouse.up();
    await page.getByText("pc00002 takes no processes now").waitFor();

    await page.getByLabel("Grouping").selectOption({ label: "By tag site:…" });
    expect(page.url()).toBe(`${url}/?group=site%3A`);
    await page.reload();
    await page.getByRole("application", { name: "Map of 2 hosts" }).waitFor();
    expect(await page.getByLabel("Grouping").inputValue()).toBe("site:");
  },
);

/** Pairs of the legend's tiles that look the same in grey. */
const alike = (page: Page): Promise<string[]> =>
  page.getByRole("list", { name: "Legend" }).evaluate((legend) => {
    const tiles = [...legend.querySelectorAll("canvas")].map((canvas) => {
      const { data = [] } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
      const grey: number[] = [];
      for (let at = 0; at < data.length; at += 4)
        grey.push(0.3 * (data[at] ?? 0) + 0.6 * (data[at + 1] ?? 0) + 0.1 * (data[at + 2] ?? 0));
      return { name: canvas.closest("li")?.textContent ?? "", grey };
    });
    if (tiles.length !== 7) return [`${tiles.length} tiles`];
    return tiles.flatMap((one, at) =>
      tiles
        .slice(at + 1)
        // points that differ by more than the theme's nuances
        .filter((other) => other.grey.filter((value, point) => Math.abs(value - (one.grey[point] ?? 0)) > 40).length < 25)
        .map((other) => `${one.name} = ${other.name}`),
    );
  });

test.skipIf(without)("on a phone a finger moves the process it is put on, and scrolls elsewhere", async () => {
  await using cluster = await Cluster.start({ agents: ["amun", "ipc256"], settings: { balance: false } });
  await using open = await openConsole(cluster, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const { page } = open;
  await submit(page, "spin.c", SPIN, "1000000");
  const hostNow = async () => (await cluster.ps())[0]?.host;
  const before = await until("it runs", hostNow);
  await page.getByRole("link", { name: "Cluster" }).click();
  const map = page.getByRole("application", { name: "Map of 2 hosts" });
  await map.evaluate((canvas) => canvas.scrollIntoView({ block: "center" }));
  const session = await page.context().newCDPSession(page);
  const drag = async (x: number, y: number, toY: number): Promise<void> => {
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", at: number) =>
      session.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x, y: at }] });
    await touch("touchStart", y);
    for (let step = 1; step <= 10; step++) await touch("touchMove", y + ((toY - y) * step) / 10);
    await touch("touchEnd", toY);
  };
  const scrolled = () => page.evaluate(() => Math.round(scrollY));
  const hasMoved = async () => ![before, null, undefined].includes(await hostNow());
  let box = await boxOf(map);
  let scrollBefore = 0;
  // A browser that waits too long for a busy page takes the finger for one that scrolls: whoever it is tries again.
  await until("it has moved", async () => {
    if (await hasMoved()) return true;
    box = await boxOf(map);
    // On this phone the tiles, 120 pixels high, are one above the other.
    const tops = { amun: box.y, ipc256: box.y + 128 };
    const [from, to] = before === "amun" ? [tops.amun, tops.ipc256] : [tops.ipc256, tops.amun];
    await until("its dot is on the map", async () => {
      await page.mouse.move(box.x + 24, from + 41);
      await page.mouse.move(box.x + 24, from + 40);
      return (await map.getAttribute("title"))?.startsWith("Process 1 ");
    });
    scrollBefore = await scrolled();
    await drag(box.x + 24, from + 40, to + 60);
    return until("it moves", hasMoved, 10_000).catch(() => false);
  });
  expect(await scrolled()).toBe(scrollBefore);
  await drag(box.x + 130, box.y + 100, box.y - 60);
  await until("the page is scrolled", async () => (await scrolled()) > scrollBefore + 50);
});
