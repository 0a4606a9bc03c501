import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "@nightshift/agent-app/desktop/testing";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { violations } from "../browser/axe.ts";
import { withoutChromium } from "../browser/chromium.ts";
import { Cluster, local, until } from "../cluster.ts";
import { buildParts, ChromiumPort, type Look } from "./chromium-port.ts";

const PAGES = ["now", "history", "settings", "privacy", "join", "log", "about"];
/** Nothing of this machine stands against computing but its owner, whom the test plays. */
const SETTINGS = {
  mode: "idle",
  idleAfterSeconds: 60,
  startAfterSeconds: 0,
  graceSeconds: 60,
  busyAbovePercent: 100,
  memoryFreeAbovePercent: 0,
  diskFreeAboveMegabytes: 0,
  batteryAbovePercent: 0,
  coolBelowCelsius: 120,
  onMeteredNetwork: true,
};
const LONG = ["800", "3000"];

describe.skipIf(withoutChromium("the tray app's windows"))("the tray app", () => {
  let cluster: Cluster;
  let built: string;
  let expected: string;

  beforeAll(async () => {
    built = mkdtempSync(join(tmpdir(), "desktop-"));
    await buildParts(built);
    expected = (await local("steady-lines.c", LONG)).out;
    cluster = await Cluster.start();
  });
  afterAll(async () => {
    await cluster?.close();
  });

  /** The app as it starts, on a PC called `host` whose owner has been away for an hour. */
  async function start(host: string, more: { policy?: object; look?: Look; locale?: string; home?: string } = {}) {
    const home = more.home ?? mkdtempSync(join(tmpdir(), "pc-"));
    const policyFile = join(home, "policy.json");
    writeFileSync(policyFile, JSON.stringify({ version: 1, defaults: SETTINGS, ...more.policy }));
    const port = new ChromiumPort(built, { idleSeconds: 3600, locale: more.locale ?? "en" }, more.look);
    await port.launch();
    const app = new App(port, { home, host, slots: 1, policyFile });
    port.app = app;
    app.start({ kind: "app", link: null, hidden: false });
    const page = await port.pageOf();
    return { port, app, page, home, [Symbol.asyncDispose]: () => port.close() };
  }

  async function joined(host: string, more: Parameters<typeof start>[1] = {}) {
    const desktop = await start(host, more);
    desktop.app.join(cluster.hostLink);
    await until(`${host} has joined`, () => desktop.app.state().connected);
    return desktop;
  }

  const hostRow = async (name: string) => (await cluster.client.request("hosts", {})).find((one) => one.name === name);
  const go = (page: Page, name: string): Promise<unknown> => page.click(`nav a[href="#${name}"]`);
  const says = (page: Page, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();

  test("a link is pasted, shows whom it joins, joins; a job computes and is seen; pausing by a click stops it", async () => {
    await using desktop = await start("amun");
    const { page, port } = desktop;
    await says(page, "Paste the join link");
    await page.getByLabel("Join link").fill("nightshift://nowhere");
    await page.getByRole("button", { name: "See whom it joins" }).click();
    await page.getByRole("alert").getByText("This is not a join link").waitFor();
    await page.getByLabel("Join link").fill(cluster.hostLink);
    await page.getByRole("button", { name: "See whom it joins" }).click();
    await says(page, `127.0.0.1:${cluster.port}`);
    expect(await hostRow("amun")).toBeUndefined();
    await page.getByRole("button", { name: "Join", exact: true }).click();
    await until("the host has come", () => hostRow("amun"));
    await go(page, "now");
    await says(page, "Ready: waiting for work");
    const submitted = await cluster.submit("steady-lines.c", LONG);
    await says(page, "steady-lines.c 800 3000");
    await page.getByRole("heading", { name: "Computing" }).waitFor();
    expect([port.icon, port.tooltip]).toEqual(["computing", "Nightshift: Computing"]);

    await page.getByRole("button", { name: "Pause until resumed" }).click();
    await says(page, "Paused: until you resume it");
    await until("the coordinator knows", async () => (await hostRow("amun"))?.paused === "until you resume it");
    await until("nothing computes", () => desktop.app.state().icon === "paused");
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    const ended = await cluster.end(submitted);
    expect(ended.stdout).toBe(expected);
    await until("what was given is counted", () => desktop.app.state().today.usedMs > 0);
    expect(port.complaints).toEqual([]);
  });

  test("input stops it, however it comes; the process waits and goes on when the owner has left", async () => {
    await using desktop = await joined("ipc256");
    const { page, port, app } = desktop;
    await go(page, "now");
    await cluster.client.request("hosts", {});
    const submitted = await cluster.submit("steady-lines.c", LONG, { startOn: "ipc256", stay: true });
    await until("it computes", () => app.state().icon === "computing");
    port.variables.idleSeconds = 0;
    await says(page, "Paused: you are here");
    await until("it stands still and is still here", () => /runnable|blocked/.test(app.state().processes[0]?.state ?? ""));
    port.variables.idleSeconds = 3600;
    port.happen({ kind: "lock" });
    // Behind a locked screen the owner has gone, startAfterSeconds after the last input.
    await until("it computes again", () => app.state().icon !== "paused");
    expect((await cluster.end(submitted)).stdout).toBe(expected);
  });

  test("the computing process killed: the app stays, starts another one, and the job's output is whole", async () => {
    await using desktop = await joined("osiris");
    const { page, app, port } = desktop;
    await go(page, "now");
    const submitted = await cluster.submit("steady-lines.c", LONG, { startOn: "osiris", stay: true });
    await until("it computes", () => app.state().icon === "computing");
    const before = port.agentPid;
    process.kill(before ?? 0, "SIGKILL");
    await says(page, "The computing part was restarted 1 time");
    await until("another one has joined", () => app.state().connected && app.state().problem === null);
    expect(port.agentPid).not.toBe(before);
    expect((await cluster.end(submitted)).stdout).toBe(expected);
  });

  test("when the app does not tell of input any more, the agent takes the owner as here", async () => {
    await using desktop = await joined("seth");
    const { app, port } = desktop;
    await until("it may compute", () => app.state().icon === "waiting");
    port.hang();
    await until("it takes the owner as here", () => app.state().reasons[0] === "cannot tell whether you are here");
  });

  test("settings show what would be decided, hold when saved, and say who locked them", async () => {
    await using desktop = await joined("isis", { policy: { by: "IT, Example Ltd", locked: { graceSeconds: 5 } } });
    const { page, home } = desktop;
    await go(page, "settings");
    await says(page, "With these settings it would compute now.");
    const grace = page.getByLabel("When you return, keep stopped work here");
    expect(await grace.isDisabled()).toBe(true);
    await says(page, "Set by IT, Example Ltd");
    await page.getByLabel("When to compute").selectOption("never");
    await says(page, "it would not compute now. Paused: switched off");
    expect(desktop.app.state().icon).toBe("waiting"); // only looked at so far
    await page.getByLabel("Nobody is here after").fill("0");
    await says(page, "idleAfterSeconds must be a whole number from 1 to 86400");
    expect(await page.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
    await page.getByLabel("Nobody is here after").fill("120");
    await page.getByLabel("Pause while one of these programs runs").fill("no-such-program \n\n"); // as people end a line
    await page.getByRole("button", { name: "Save" }).click();
    await says(page, "Saved.");
    await until("it holds", () => desktop.app.state().headline === "Paused: switched off");
    const file = JSON.parse(readFileSync(join(home, "agents", "isis", "settings.json"), "utf8"));
    expect(file.settings).toEqual({ mode: "never", idleAfterSeconds: 120, exclusivePrograms: ["no-such-program"] });
    const refused = await page.evaluate(() =>
      window.nightshift.ask("setPolicy", { graceSeconds: 1 }).then(
        () => "",
        (error: Error) => error.cause,
      ),
    );
    expect(refused).toBe("NS_FORBIDDEN");
  });

  test("a policy of the coordinator stops it at once, its settings show who set them, and undone it is ready again; a damaged file is told", async () => {
    await using desktop = await joined("thoth");
    const { page, app, home } = desktop;
    const set = (locked: object) =>
      cluster.client.request("policySet", { scope: "host:thoth", document: { version: 1, locked }, preview: false });
    await go(page, "settings");
    await set({ mode: "never" });
    await until("it has stopped", () => app.state().headline === "Paused: switched off (set by your administrator)");
    await page.getByText("Set by your administrator", { exact: true }).first().waitFor();
    expect(await page.getByLabel("When to compute").isDisabled()).toBe(true);
    await until("the coordinator knows", async () => (await hostRow("thoth"))?.paused?.startsWith("switched off"));
    await cluster.client.request("policyUndo", { scope: "host:thoth", version: null });
    await until("it is ready", () => app.state().icon === "waiting");
    await until("the owner may choose again", () => page.getByLabel("When to compute").isEnabled());
    writeFileSync(join(home, "policy.json"), "{");
    await until("it is told", () => /policy\.json is not JSON/.test(app.state().problem?.message ?? ""));
    expect(app.state().icon).toBe("waiting");
  });

  test("with the keyboard alone: to a page, to pause, and back", async () => {
    await using desktop = await joined("horus");
    const { page, app } = desktop;
    const press = async (name: string): Promise<void> => {
      for (let key = 0; key < 40; key++) {
        await page.keyboard.press("Tab");
        const text = await page.evaluate(() => document.activeElement?.textContent ?? "");
        if (text !== name) continue;
        const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
        expect(outline).not.toBe("none");
        return page.keyboard.press("Enter");
      }
      throw new Error(`Tab does not reach ${name}`);
    };
    await press("Now");
    await press("Pause for 1 hour");
    await until("it is paused", () => app.state().pause !== null);
    await press("Resume");
    await until("it is resumed", () => app.state().pause === null);
  });

  test.each([
    { locale: "en", colorScheme: "light" },
    { locale: "en", colorScheme: "dark" },
    { locale: "zh-CN", colorScheme: "dark" },
  ] as const)("axe finds nothing on any page: $locale, $colorScheme", async ({ locale, colorScheme }) => {
    await using desktop = await joined(`axe-${locale}-${colorScheme}`, {
      locale,
      look: { colorScheme },
      policy: { by: "IT", locked: { graceSeconds: 5 } },
    });
    const { page, port } = desktop;
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale);
    for (const name of PAGES) {
      await go(page, name);
      await page.waitForSelector("main h1");
      expect(await violations(page), name).toEqual([]);
    }
    expect(port.complaints).toEqual([]);
  });

  test("a link opened from outside that is none is said on the page, until something else is typed", async () => {
    await using desktop = await start("babi", { locale: "zh-CN" });
    const { page, app } = desktop;
    app.launched({ kind: "app", link: `nightshift://${"evil".repeat(100)}/#<img src=x>`, hidden: false });
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.innerText()).toMatch(/\p{Script=Han}.*not a join link/su);
    await page.getByRole("textbox").fill("nightshift://");
    await alert.waitFor({ state: "detached" });
    expect(app.state().badLink).toBe(null);
  });

  test("in high contrast the colours of the week's plot are told apart, also beside their names", async () => {
    const home = mkdtempSync(join(tmpdir(), "pc-"));
    mkdirSync(join(home, "agents", "khonsu"), { recursive: true });
    const hours = [[Math.floor(Date.now() / 3_600_000), 3_600_000, 1_800_000]];
    writeFileSync(join(home, "agents", "khonsu", "history.json"), JSON.stringify({ version: 1, hours }));
    await using desktop = await start("khonsu", { home });
    const { page } = desktop;
    await page.emulateMedia({ forcedColors: "active" });
    await go(page, "history");
    await page.waitForSelector(".plot rect.used", { state: "attached" }); // what there is to plot is asked for
    const colours = await page.$$eval(".swatch", (all) => all.map((one) => getComputedStyle(one).backgroundColor));
    const bars = await page.$$eval(".plot rect.offered, .plot rect.used", (all) => all.map((one) => getComputedStyle(one).fill));
    expect([new Set(colours).size, new Set([...colours, ...bars]).size]).toEqual([2, 2]);
  });

  test("pages cannot reach out, run code from texts, or open anything", async () => {
    await using desktop = await start("apep");
    const { page } = desktop;
    const tried = await page.evaluate(async () => {
      const outcome = (work: () => unknown): Promise<string> =>
        // Later: what the debugger runs itself the policy lets pass.
        new Promise((resolve) => setTimeout(resolve)).then(work).then(
          () => "done",
          () => "refused",
        );
      return [
        await outcome(() => fetch("https://nightshift/index.html")),
        await outcome(() => new Function("return 1")()),
        await outcome(() => {
          document.body.innerHTML = "<b>x</b>";
        }),
        typeof (globalThis as { require?: unknown }).require,
        Object.keys(window.nightshift).sort().join(),
      ];
    });
    expect(tried).toEqual(["refused", "refused", "refused", "undefined", "ask,onState"]);
  });

  test("the screensaver draws when something changes and else nothing; a key ends it", async () => {
    await using desktop = await joined("nut");
    const { app, port } = desktop;
    app.showScreensaver();
    const page = await port.pageOf("screensaver");
    const drawn = (): Promise<number> => page.evaluate(() => (globalThis as unknown as { drawn: number }).drawn);
    await until("it has drawn", async () => (await drawn()) > 0);
    await until("it has come to rest", async () => {
      const before = await drawn();
      await new Promise((resolve) => setTimeout(resolve, 1500)); // statuses come every second
      return (await drawn()) === before;
    });
    const before = await drawn();
    const submitted = await cluster.submit("steady-lines.c", LONG, { startOn: "nut", stay: true });
    await until("the process comes", async () => (await drawn()) > before + 10);
    const whole = "Computing. Computing together: 1 of 1 computers. Processes: 1.";
    await until("it says so", async () => (await page.getAttribute("canvas", "aria-label")) === whole);
    await page.mouse.move(100, 100);
    // The page may be gone before the key is up again.
    await page.keyboard.press("a").catch(() => undefined);
    await until("it has gone", () => !port.windows.isOpen("screensaver"));
    await cluster.client.request("cancel", { pid: null, job: submitted.job });
    expect(port.complaints).toEqual([]);
  });
});
