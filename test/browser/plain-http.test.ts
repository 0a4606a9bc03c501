// The join page as a coordinator in an office network serves it without TLS: a browser gives such a page no shared memory, no locks, no
// detection of idleness. It computes all the same, in slices, and says what that means.
import { buildConsole, isConsoleOutdated } from "@nightshift/coordinator/console-build";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { launchChromium, withoutChromium } from "./chromium.ts";
import { computesOn, forks, goesThereAndBack } from "./there-and-back.ts";

/** Any name but localhost: what comes from there is not trusted. */
const NAME = "coordinator.office.test";

describe.skipIf(withoutChromium("the join page over plain http"))("the join page over plain http", () => {
  let cluster: Cluster;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let address = "";
  let tab = "";
  const says = (of: Page, expected: RegExp) =>
    until(`the page says ${expected}`, async () => expected.test(await of.locator(".words").innerText()));
  const hosts = () => cluster.client.request("hosts", {});

  beforeAll(async () => {
    if (await isConsoleOutdated()) await buildConsole();
    cluster = await Cluster.start({ agents: ["desk"] });
    address = `http://${NAME}:${cluster.port}/lend/${new URL(cluster.hostLink).hash}`;
    browser = await launchChromium([], [`--host-resolver-rules=MAP ${NAME} 127.0.0.1`]);
    context = await browser.newContext({ locale: "en-GB" });
    page = await context.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await cluster?.close();
  });

  test("it says that anybody between could have changed it, and cannot offer to see when one is away", async () => {
    await page.goto(address);
    expect(await page.evaluate(() => [isSecureContext, crossOriginIsolated])).toEqual([false, false]);
    await page.getByRole("note").getByText("plain http").waitFor();
    expect(await page.getByLabel("Only while I am away").isDisabled()).toBe(true);
  });

  test("lent, it is a host like any other", async () => {
    await page.getByLabel("Whenever this page is open").check();
    await page.getByRole("slider").fill("1");
    await page.getByRole("button", { name: "Lend it" }).click();
    await says(page, /^Ready/);
    await page.getByRole("note").getByText("plain http").waitFor();
    tab = (await hosts()).find(({ name }) => name !== "desk")?.name ?? "";
    expect((await hosts()).find(({ name }) => name === tab)).toMatchObject({ online: true, slots: 1 });
  });

  test("a process goes from the headless agent to the tab and back while it runs, with the same output", () =>
    goesThereAndBack(cluster, tab));

  test("fork() in the tab: children run on both hosts", () => forks(cluster, tab));

  test("paused by hand, it lets go of a process that only computes", async () => {
    const { job } = await cluster.submit("longloop", ["30000000000"], { startOn: tab, stay: true });
    await computesOn(cluster, job, tab);
    await page.getByRole("button", { name: "Pause" }).click();
    await says(page, /^Paused/);
    await computesOn(cluster, job, "desk");
    await cluster.client.request("cancel", { job, pid: null });
    await page.getByRole("button", { name: "Go on" }).click();
    await says(page, /^Ready/);
  });

  test("while nobody touches the page: pointer, wheel and keys in it stop it at once, and it goes on a minute after, or in the background", async () => {
    await page.getByRole("button", { name: "Stop lending" }).click();
    await page.clock.install();
    await page.getByLabel("or has not been touched for a minute").check();
    await page.getByRole("button", { name: "Lend it" }).click();
    await says(page, /^Paused: you are here$/);
    const inputs = [
      () => page.mouse.move(200, 200).then(() => page.mouse.move(300, 300)),
      () => page.mouse.wheel(0, 10),
      () => page.keyboard.press("Shift"),
    ];
    for (const touch of inputs) {
      await page.clock.fastForward(50_000);
      await says(page, /^Paused: you are here$/);
      await page.clock.fastForward(11_000);
      await says(page, /^Ready/);
      await touch();
      await says(page, /^Paused: you are here$/);
    }
    const goes = (hidden: boolean) =>
      page.evaluate((it) => {
        // Headless Chromium calls every page visible.
        Object.defineProperty(document, "hidden", { configurable: true, value: it });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await goes(true);
    await page.clock.fastForward(4_000);
    await says(page, /^Ready/);
    await goes(false);
    await says(page, /^Paused: you are here$/);
    await page.getByRole("button", { name: "Stop lending" }).click();
    await page.getByLabel("Whenever this page is open").check();
    await page.getByRole("button", { name: "Lend it" }).click();
    await says(page, /^Ready/);
  });

  test("a second tab does not lend again, and takes over when the first is closed, also without a word", async () => {
    await context.addInitScript(() =>
      addEventListener("pagehide", (event) => "silent" in globalThis && event.stopImmediatePropagation()),
    );
    const [second, third] = [await context.newPage(), await context.newPage()];
    for (const other of [second, third]) {
      await other.goto(address);
      await other.getByText("Another tab").waitFor();
    }
    await page.close();
    const [first, waiting] = await until("one of them lends", async () => {
      for (const [one, other] of [
        [second, third],
        [third, second],
      ] as const)
        if ((await one.locator(".words").count()) > 0) return [one, other];
      return undefined;
    });
    await says(first, /^Ready/);
    expect(await waiting.getByText("Another tab").count()).toBe(1);
    await first.evaluate(() => Object.assign(globalThis, { silent: true }));
    await first.close();
    await says(waiting, /^Ready/);
    expect((await hosts()).filter(({ online }) => online).map(({ name }) => name)).toEqual(["desk", tab]);
  });
});
