// The join page as a volunteer sees it: consent, computing, being back, a second tab, a reload.
import { TEXTS } from "@nightshift/agent-app/browser/texts";
import { buildConsole, isConsoleOutdated } from "@nightshift/coordinator/console-build";
import type { BrowserContext, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, delay, until } from "../cluster.ts";
import { violationsOf } from "./axe.ts";
import { launchChromium, withoutChromium } from "./chromium.ts";

const LONG = ["100000", "2000"];

test("every text is there in every language, with the same values", () => {
  const values = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const texts of Object.values(TEXTS))
    for (const [name, text] of Object.entries(TEXTS.en)) {
      const other = texts[name as keyof typeof texts];
      expect(other, name).toBeTruthy();
      expect(values(other), name).toEqual(values(text));
    }
});

describe.skipIf(withoutChromium("the join page"))("the join page", () => {
  let cluster: Cluster;
  let context: BrowserContext;
  let page: Page;
  let origin = "";
  let secret = "";
  const closers: (() => unknown)[] = [];

  const host = async (name: string) => (await cluster.client.request("hosts", {})).find((row) => row.name === name);
  const words = (of = page): Promise<string> => of.locator(".words").innerText();
  const says = (expected: RegExp, of = page) =>
    until(`the page says ${expected}`, async () => expected.test(await words(of).catch(() => "")));

  beforeAll(async () => {
    if (await isConsoleOutdated()) await buildConsole();
    cluster = await Cluster.start({});
    origin = `http://127.0.0.1:${cluster.port}`;
    secret = new URL(cluster.hostLink).hash;
    const browser = await launchChromium();
    closers.push(() => browser.close());
    context = await browser.newContext({ locale: "en-GB" });
    page = await context.newPage();
  });
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
    await cluster?.close();
  });

  test("without a secret in the link it says that one is needed, and connects to nobody", async () => {
    await page.goto(`${origin}/lend/`);
    await page.getByText("needs a join link").waitFor();
  });

  test("a browser that lacks what programs need is told what it lacks, and is asked nothing", async () => {
    const old = await (await page.context().browser())?.newContext({ locale: "en-GB" });
    await old?.addInitScript(() => {
      const validate = WebAssembly.validate;
      WebAssembly.validate = (bytes) => !new Uint8Array(bytes as ArrayBuffer).includes(0xfd) && validate(bytes);
    });
    const lacking = await old?.newPage();
    await lacking?.goto(`${origin}/lend/${secret}`);
    await lacking?.getByText("it lacks WebAssembly SIMD.").waitFor();
    expect(await lacking?.getByRole("button").count()).toBe(0);
    await old?.close();
  });

  test("without its slash the address leads to the page, under the page's own rules", async () => {
    const response = await fetch(`${origin}/lend`);
    expect(new URL(response.url).pathname).toBe("/lend/");
    expect(response.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    expect(response.headers.get("content-security-policy")).toMatch(/worker-src 'self'/);
    expect((await fetch(`${origin}/`)).headers.get("content-security-policy")).not.toMatch(/unsafe/);
  });

  test("it says whom one lends to and what that means before anything happens", async () => {
    await page.goto(`${origin}/lend/${secret}`);
    await page.getByText(new URL(origin).host, { exact: false }).first().waitFor();
    expect(await page.getByRole("listitem").count()).toBe(4);
    // It can tell whether one is away, and need not go by what it sees of itself.
    expect(await page.getByRole("radio").evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value))).toEqual([
      "away",
      "background",
      "always",
    ]);
    expect(await violationsOf(page, "consent")).toEqual([]);
    expect(await cluster.client.request("hosts", {})).toEqual([]);
    expect(await page.evaluate(() => indexedDB.databases().then((all) => all.length))).toBe(1);
  });

  test("lent whenever the page is open, it computes; paused and resumed by hand", async () => {
    await page.getByLabel("Whenever this page is open").check();
    await page.getByRole("slider").fill("1");
    await page.getByRole("button", { name: "Lend it" }).click();
    await says(/^Ready/);
    // Whoever goes by keys or listens goes on at the top.
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    await page.getByText(/^You lend 1 of \d+ cores?\. Whenever this page is open\./).waitFor();
    expect(await violationsOf(page, "lending")).toEqual([]);
    const name = /as (browser-\w+)/.exec(await page.getByText("is lent to").innerText())?.[1] ?? "";
    await until("the host is there", async () => (await host(name))?.online);
    const { job } = await cluster.submit("steady-lines.c", LONG);
    await until("it computes here", async () => (await host(name))?.running === 1);
    await says(/^Computing$/);
    await page.getByRole("button", { name: "Pause" }).click();
    await says(/^Paused: until you resume it$/);
    await until("it computes no more", async () => (await host(name))?.running === 0);
    await page.getByRole("button", { name: "Go on" }).click();
    await until("it computes again", async () => (await host(name))?.running === 1);
    await until("it is shown", async () => /Running now: 1\. Given so far: [1-9]/.test(await page.locator("main").innerText()));
    await cluster.client.request("cancel", { job, pid: null });
  });

  test("a pause by hand outlasts a reload, until it is resumed or lent anew", async () => {
    const button = (name: string) => page.getByRole("button", { name });
    await says(/^Ready/);
    await button("Pause").click();
    await says(/^Paused: until you resume it$/);
    await page.reload();
    await says(/^Paused: until you resume it$/);
    await until("the coordinator knows", async () =>
      (await cluster.client.request("hosts", {})).some(({ online, paused }) => online && paused === "until you resume it"),
    );
    await button("Go on").click();
    await says(/^Ready/);
    await page.reload();
    await says(/^Ready/);
    await button("Pause").click();
    await button("Stop lending").click();
    await page.getByLabel("Whenever this page is open").check();
    await page.getByRole("slider").fill("1");
    await button("Lend it").click();
    await says(/^Ready/);
  });

  test("processes that end before they have ever told their time count, too", async () => {
    expect(await page.locator("main").innerText()).toMatch(/Given so far: 0 s/);
    await until("it is shown", async () => {
      await cluster.run("steady-lines.c", ["100", "2000"]);
      return /Given so far: [1-9]/.test(await page.locator("main").innerText());
    });
  });

  test("a policy of the coordinator stops it at once and says who set it; one that is laxer than what was agreed to changes nothing", async () => {
    const [row] = await cluster.client.request("hosts", {});
    const scope = `host:${row?.name}`;
    const set = (locked: object) =>
      cluster.client.request("policySet", { scope, document: { version: 1, by: "IT", locked }, preview: false });
    await set({ mode: "never" });
    await says(/^Paused: switched off \(set by IT\)$/);
    await until("the coordinator knows", async () => (await host(row?.name ?? ""))?.paused === "switched off (set by IT)");
    await set({ mode: "always" });
    await says(/^Ready/);
    await set({ exclusivePrograms: ["blender"] });
    await says(/^Paused: cannot tell which programs are running \(set by IT\)$/);
    await cluster.client.request("policyUndo", { scope, version: 1 });
    await says(/^Paused: switched off/);
    await set({});
    await says(/^Ready/);
  });

  test("a second tab does not lend again, and takes over when the first is closed; a reload goes on without asking", async () => {
    const second = await context.newPage();
    await second.goto(`${origin}/lend/${secret}`);
    await second.getByText("Another tab").waitFor();
    await page.close();
    await says(/^Ready/, second);
    await second.reload();
    await says(/^Ready/, second);
    page = second;
    await until(
      "it is one host",
      async () => (await cluster.client.request("hosts", {})).filter(({ online }) => online).length === 1,
    );
  });

  test("in mode background it stops when the page is looked at", async () => {
    await page.getByRole("button", { name: "Stop lending" }).click();
    await page.getByLabel("While this page is in the background").check();
    await page.getByRole("button", { name: "Lend it" }).click();
    await says(/^Paused: you are here$/);
    const front = await context.newPage();
    await front.bringToFront();
    await page.evaluate(() => {
      // Headless Chromium calls every page visible.
      Object.defineProperty(document, "hidden", { configurable: true, value: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await says(/^Ready/);
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { configurable: true, value: false });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await says(/^Paused: you are here$/);
    await front.close();
  });

  test("only while charging: off the mains it stops and says so, plugged in again it goes on", async () => {
    await page.getByRole("button", { name: "Stop lending" }).click();
    await page.getByLabel("Whenever this page is open").check();
    await page.getByLabel("Only while charging").check();
    await page.getByRole("button", { name: "Lend it" }).click();
    await says(/^Ready/);
    const plug = (charging: boolean): Promise<void> =>
      page.evaluate(async (value) => {
        // One object for the whole page. This computer has no battery to unplug.
        const battery = await (navigator as unknown as { getBattery(): Promise<EventTarget> }).getBattery();
        Object.defineProperty(battery, "charging", { configurable: true, value });
        battery.dispatchEvent(new Event("chargingchange"));
      }, charging);
    await plug(false);
    await says(/^Paused: on battery/);
    await plug(true);
    await says(/^Ready/);
  });

  /** What it overrides it must go on overriding: it is ended with the browser. */
  let devtools: CDPSession;

  test("in mode away the browser says whether the owner is here", async () => {
    await page.getByRole("button", { name: "Stop lending" }).click();
    devtools = await context.newCDPSession(page);
    const { browserContextId } = (await devtools.send("Target.getTargetInfo")).targetInfo;
    const browser = await context.browser()?.newBrowserCDPSession();
    await browser?.send("Browser.grantPermissions", { permissions: ["idleDetection"], origin, browserContextId });
    await devtools.send("Emulation.setIdleOverride", { isUserActive: true, isScreenUnlocked: true });
    // For the next test: it must be there when the page begins to look.
    await devtools.send("Emulation.setPressureSourceOverrideEnabled", {
      enabled: true,
      source: "cpu",
      metadata: { available: true },
    });
    await page.getByLabel("Only while I am away").check();
    await page.getByRole("button", { name: "Lend it" }).click();
    await says(/^Paused: you are here$/);
    await devtools.send("Emulation.setIdleOverride", { isUserActive: false, isScreenUnlocked: true });
    await says(/^Ready/);
    await devtools.send("Emulation.setIdleOverride", { isUserActive: true, isScreenUnlocked: true });
    await says(/^Paused: you are here$/);
  });

  test("while nothing computes here it waits for other programs to be less busy; its own work makes the processor no less its own", async () => {
    const pressure = (state: "nominal" | "serious" | "critical") =>
      devtools.send("Emulation.setPressureStateOverride", { source: "cpu", state });
    await devtools.send("Emulation.setIdleOverride", { isUserActive: false, isScreenUnlocked: true });
    await says(/^Ready/);
    for (const state of ["serious", "critical"] as const) {
      await pressure(state);
      await says(/^Paused: other programs are busy$/);
      await pressure("nominal");
      await says(/^Ready/);
    }
    const { job } = await cluster.submit("steady-lines.c", LONG);
    await says(/^Computing$/);
    for (const state of ["serious", "critical", "serious", "critical"] as const) {
      await pressure(state);
      await delay(300);
      expect(await words()).toBe("Computing");
    }
    await pressure("nominal");
    await cluster.client.request("cancel", { job, pid: null });
    await devtools.send("Emulation.setPressureSourceOverrideEnabled", { enabled: false, source: "cpu" });
    await devtools.send("Emulation.setIdleOverride", { isUserActive: true, isScreenUnlocked: true });
    await says(/^Paused: you are here$/);
  });

  test("a damaged link is told as what it is; another one in the same tab counts at once", async () => {
    await page.goto(`${origin}/lend/#damaged.link`);
    await page.getByText("not a join link", { exact: false }).waitFor();
    await page.getByText("Use a link printed by `nightshift up`", { exact: false }).waitFor();
    await page.goto(`${origin}/lend/${secret}`);
    await says(/^Paused: you are here$/);
  });

  test("a revoked or unknown token is told", async () => {
    await page.getByRole("button", { name: "Stop lending" }).click();
    const stranger = await (await page.context().browser())?.newContext({ locale: "en-GB" });
    const other = await stranger?.newPage();
    if (!other) throw new Error("no page");
    await other.goto(`${origin}/lend/${secret.replace(/\..*/, `.${"A".repeat(22)}`)}`);
    await other.getByLabel("Whenever this page is open").check();
    await other.getByRole("button", { name: "Lend it" }).click();
    await other.getByText("refused").waitFor();
    await other.getByText("Get a fresh join link").waitFor();
    await stranger?.close();
  });

  test("what goes wrong is said in the reader's language, with the sentence itself behind", async () => {
    const chinese = await (await page.context().browser())?.newContext({ locale: "zh-CN" });
    const other = await chinese?.newPage();
    if (!other) throw new Error("no page");
    await other.goto(`${origin}/lend/#damaged.link`);
    await other.getByRole("alert").getByText("加入链接不完整或有误。").waitFor();
    await other.getByText("not a join link", { exact: false }).waitFor();
    await other.goto(`${origin}/lend/${secret.replace(/\..*/, `.${"A".repeat(22)}`)}`);
    await other.getByLabel("只要此页面打开").check();
    await other.getByRole("button", { name: "借出" }).click();
    await other.getByText("拒绝：加入令牌有误、已用完或已过期。").waitFor();
    await other.getByText("the join token is wrong").waitFor();
    await chinese?.close();
  });
});
