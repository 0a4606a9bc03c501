// Takes the pictures of docs/screenshots/desktop: `npm run screenshots:desktop`, or some of them: `npm run screenshots:desktop en-dark`. The real app with a real coordinator and job in the installed
// Chromium; only the week of history is written beforehand, as nobody waits a week for a picture. Chinese needs a font that has it (Debian:
// fonts-noto-cjk).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { App, type Shown } from "@nightshift/agent-app/desktop/testing";
import { Cluster, delay, until } from "../cluster.ts";
import { buildParts, ChromiumPort } from "./chromium-port.ts";

const OUT = fileURLToPath(new URL("../../docs/screenshots/desktop/", import.meta.url));
const PAGES = ["now", "history", "settings", "privacy", "join", "log", "about"];
const HOUR_MS = 3_600_000;
const SETTINGS = {
  mode: "idle",
  startAfterSeconds: 0,
  busyAbovePercent: 100,
  memoryFreeAbovePercent: 0,
  diskFreeAboveMegabytes: 0,
};

/** Other hosts of the cluster. */
const OTHERS = ["amun", "ipc256", "library-1", "library-2", "lab-7"];

/** Nights and lunch breaks of an office week on two processors. */
function week(): string {
  const hours: [number, number, number][] = [];
  for (let ago = 7 * 24; ago > 0; ago--) {
    const at = new Date(Date.now() - ago * HOUR_MS);
    const away = at.getHours() < 8 || at.getHours() > 17 || at.getHours() === 12 || at.getDay() % 6 === 0;
    const offered = away ? 2 * HOUR_MS : 0.1 * HOUR_MS;
    hours.push([Math.floor(at.getTime() / HOUR_MS), offered, Math.round(offered * (0.55 + 0.4 * Math.sin(ago / 17) ** 2))]);
  }
  return JSON.stringify({ version: 1, hours });
}

const sweep = (to: number) => ({ sweep: { parameters: { tile: { from: 1, to, step: 1 } }, sets: [] } });
const ended = ({ tiles }: Shown): number => tiles.filter(({ state }) => state === "ended").length;
/** How much of the only part is there: of a picture, or of the range of a spectrum. */
const known = ({ tiles: [tile] }: Shown): number => {
  if (tile?.content?.kind === "image") return tile.content.picture.rows / tile.content.picture.height;
  return tile?.content ? tile.content.bins.filter((bin) => bin !== null).length / tile.content.bins.length : 0;
};
const highest = ({ tiles: [tile] }: Shown): number =>
  tile?.content?.kind === "spectrum" ? Math.max(...tile.content.bins.map(Number)) : 0;
/** Work as it is seen on the screensaver: how it is computed, and when the picture is taken. */
const WORK = [
  {
    name: "tiles",
    program: "render",
    args: ["640", "40", "{tile}", "16"],
    more: { show: "image", ...sweep(16) },
    isThere: (shown: Shown) => ended(shown) > 8,
  },
  {
    name: "picture",
    program: "render",
    args: ["640", "40"],
    more: { show: "image" },
    isThere: (shown: Shown) => known(shown) > 0.7,
  },
  {
    name: "spectra",
    program: "spectrum",
    args: ["{tile}", "24", "131072"],
    more: { show: "spectrum", ...sweep(24) },
    isThere: (shown: Shown) => ended(shown) > 14,
  },
  {
    name: "spectrum",
    program: "spectrum",
    args: ["1", "1", "65536"],
    more: { show: "spectrum" },
    isThere: (shown: Shown) => highest(shown) > 120 && known(shown) > 0.7,
  },
] as const;

const built = mkdtempSync(join(tmpdir(), "shots-"));
await buildParts(built);
mkdirSync(OUT, { recursive: true });
await using cluster = await Cluster.start();
for (const name of OTHERS) await cluster.startAgent(name);
for (const [locale, colorScheme] of [
  ["en", "light"],
  ["en", "dark"],
  ["zh-CN", "light"],
  ["zh-CN", "dark"],
] as const) {
  if (!`${locale}-${colorScheme}`.includes(process.argv[2] ?? "")) continue;
  const home = mkdtempSync(join(tmpdir(), "pc-"));
  const host = `office-pc-${locale}-${colorScheme}`.toLowerCase();
  mkdirSync(join(home, "agents", host), { recursive: true });
  writeFileSync(join(home, "agents", host, "history.json"), week());
  const policyFile = join(home, "policy.json");
  const policy = { version: 1, by: "IT, Example Ltd", locked: { batteryAbovePercent: 100 }, defaults: SETTINGS };
  writeFileSync(policyFile, JSON.stringify(policy));
  const port = new ChromiumPort(built, { idleSeconds: 3600, locale }, { colorScheme });
  await port.launch();
  const app = new App(port, { home, host, slots: 2, policyFile });
  port.app = app;
  const shot = async (name: string): Promise<void> => {
    const page = await port.pageOf("main");
    await page.setViewportSize({ width: 960, height: name === "settings" ? 1880 : 720 });
    await delay(500);
    await page.screenshot({ path: join(OUT, `${name}-${locale}-${colorScheme}.png`) });
  };
  const go = async (name: string): Promise<void> => {
    const page = await port.pageOf("main");
    await page.click(`nav a[href="#${name}"]`);
    await page.waitForSelector("main h1");
    // Not under the pointer.
    await page.mouse.move(900, 700);
  };
  app.start({ kind: "app", link: cluster.hostLink, hidden: false });
  await shot("join-invitation");
  await go("now");
  await shot("now-not-joined");
  const { link } = await cluster.client.request("tokenCreate", { scope: "host", ttlMs: HOUR_MS, uses: 1, approval: true });
  app.join(link);
  await until("an administrator is asked", async () => (await cluster.client.request("pendingHosts", {})).length > 0);
  await shot("now-pending");
  await cluster.client.request("pendingDecide", { host, approve: true });
  await until("it has joined", () => app.state().icon === "waiting");
  await shot("now-waiting");
  await cluster.run("fibonacci", ["40"], { startOn: host, stay: true });
  await cluster.killCoordinator();
  await until("the coordinator is missed", () => app.state().icon === "offline");
  await shot("now-offline");
  await cluster.startCoordinator();
  // What it has earned is told at once to a host that comes.
  await until("it is back", () => app.state().icon === "waiting" && (app.state().credit?.credit ?? 0) > 0);
  await until("the others are back", async () => {
    const hosts = await cluster.client.request("hosts", {});
    return OTHERS.every((other) => hosts.some(({ name, online }) => name === other && online));
  });
  const jobs = [];
  for (const args of [["47"], ["46"]]) jobs.push(await cluster.submit("fibonacci", args, { startOn: host, stay: true }));
  const others = [];
  for (const startOn of OTHERS.slice(0, 4)) others.push(await cluster.submit("fibonacci", ["52"], { startOn, stay: true }));
  jobs.push(...others);
  jobs.push(await cluster.submit("steady-lines.c", ["30000", "9000"], { startOn: host, stay: true }));
  await until("it computes", () => app.state().icon === "computing" && app.state().processes.length === 3);
  await delay(2_000);
  await shot("now-computing");
  app.showScreensaver();
  // So that something moves in the picture.
  for (let time = 0; time < 11; time++) {
    await delay(500);
    for (const [at, { pid }] of others.entries()) {
      const to = OTHERS[(time + at) % OTHERS.length] ?? "";
      await cluster.client.request("migrate", { pid, host: to }).catch(() => undefined);
    }
  }
  if (colorScheme === "dark") {
    const page = await port.pageOf("screensaver");
    await page.screenshot({ path: join(OUT, `screensaver-${locale}.png`) });
  }
  app.closeScreensaver();
  for (const page of PAGES.slice(1)) {
    await go(page);
    await shot(page);
  }
  await go("now");
  port.variables.idleSeconds = 0;
  await until("the owner is seen", () => app.state().icon === "paused");
  await shot("now-paused");
  port.variables.idleSeconds = 3600;
  for (const { job } of jobs) await cluster.client.request("cancel", { pid: null, job }).catch(() => undefined);
  if (colorScheme === "dark") {
    app.showScreensaver();
    const page = await port.pageOf("screensaver");
    for (const { name, program, args, more, isThere } of WORK) {
      const { job } = await cluster.submit(program, args, { ...more, onlyOn: [host] });
      await until(`${name} can be seen`, () => {
        const { shown } = app.shownSince(0);
        return shown?.job === job && isThere(shown) && app.state().icon === "computing";
      });
      await delay(2_500); // the window looks at news every two seconds
      await page.screenshot({ path: join(OUT, `screensaver-${name}-${locale}.png`) });
      await cluster.client.request("cancel", { pid: null, job }).catch(() => undefined);
    }
    app.closeScreensaver();
  }
  await cluster.client.request("hostRevoke", { host });
  await until("it is revoked", () => app.state().icon === "attention");
  await shot("now-attention");
  await port.close();
  rmSync(home, { recursive: true, force: true });
}
rmSync(built, { recursive: true, force: true });
