// The join page where people keep it: installed as an app, filling the screen, and offered by another site.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buildConsole, isConsoleOutdated } from "@nightshift/coordinator/console-build";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { launchChromium, withoutChromium } from "./chromium.ts";

describe.skipIf(withoutChromium("the join page elsewhere"))("the join page elsewhere", () => {
  let cluster: Cluster;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let origin = "";
  let secret = "";
  const says = (of: Page, expected: RegExp) =>
    until(`the page says ${expected}`, async () => expected.test(await of.locator(".words").innerText()));
  const online = async () => (await cluster.client.request("hosts", {})).filter((host) => host.online);

  beforeAll(async () => {
    if (await isConsoleOutdated()) await buildConsole();
    cluster = await Cluster.start({});
    origin = `http://127.0.0.1:${cluster.port}`;
    secret = new URL(cluster.hostLink).hash;
    browser = await launchChromium();
    context = await browser.newContext({ locale: "en-GB" });
    page = await context.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await cluster?.close();
  });

  test("the browser finds nothing against installing it", async () => {
    await page.goto(`${origin}/lend/${secret}`);
    const devtools = await context.newCDPSession(page);
    const { url, errors } = await devtools.send("Page.getAppManifest");
    expect([url, errors]).toEqual([`${origin}/lend/manifest.webmanifest`, []]);
    const icons: { src: string; sizes: string; purpose: string }[] = await page.evaluate(async () =>
      (await fetch("manifest.webmanifest")).json().then(({ icons }) => icons),
    );
    const touch = await page.locator("link[rel=apple-touch-icon]").getAttribute("href");
    const pictures = [...icons, { src: touch ?? "", sizes: "180x180", purpose: "iOS" }];
    expect(pictures.map(({ sizes, purpose }) => `${purpose} ${sizes}`)).toEqual([
      "any any",
      "any 192x192",
      "any 512x512",
      "maskable 512x512",
      "iOS 180x180",
    ]);
    for (const { src, sizes } of pictures)
      expect(
        await page.evaluate(async (it) => {
          const picture = Object.assign(new Image(), { src: it });
          await picture.decode();
          return `${picture.naturalWidth}x${picture.naturalHeight}`;
        }, src),
      ).toMatch(sizes === "any" ? /^\d+x/ : sizes);
    const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
    // Playwright's contexts are private windows, where nothing can be installed.
    expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
  });

  test("once joined it is opened without the link, as an app is, and keeps no secret", async () => {
    await page.getByLabel("Whenever this page is open").check();
    await page.getByRole("slider").fill("1");
    await page.getByRole("button", { name: "Lend it" }).click();
    await says(page, /^Ready/);
    const [host] = await online();
    const token = secret.split(".")[1] ?? "";
    expect(token.length).toBeGreaterThan(20);
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(token);
    await page.goto("about:blank");
    await page.goto(`${origin}/lend/`);
    await says(page, /^Ready/);
    await until("it is the same host", async () => (await online()).map(({ name }) => name).join() === host?.name);
    await page.getByRole("button", { name: "Stop lending" }).click();
    await page.goto("about:blank");
    await page.goto(`${origin}/lend/`);
    await page.getByRole("button", { name: "Lend it" }).waitFor();
  });

  test("it fills the screen until there is any input", async () => {
    await page.getByLabel("Whenever this page is open").check();
    await page.getByRole("button", { name: "Lend it" }).click();
    await says(page, /^Ready/);
    const { job } = await cluster.submit("steady-lines.c", ["100000", "2000"]);
    await page.getByRole("button", { name: "Fill the screen" }).click();
    const sky = page.getByRole("img");
    await until("it says what happens", async () => (await sky.getAttribute("aria-label"))?.startsWith("Computing."));
    const whole = "Computing. Computing together: 1 of 1 computers. Processes: 1.";
    await until("it shows the whole cluster", async () => (await sky.getAttribute("aria-label")) === whole);
    expect(await page.evaluate(() => document.fullscreenElement?.className)).toBe("sky");
    await cluster.client.request("cancel", { job, pid: null });
    const shown = await cluster.submit("render", ["64", "100"], { show: "image" });
    await until("it shows the work", async () =>
      (await sky.getAttribute("aria-label"))?.includes(`Picture rendered here: job ${shown.job}, render, parts: 1. `),
    );
    await page.keyboard.press("a");
    await sky.waitFor({ state: "detached" });
    expect(await page.evaluate(() => document.fullscreenElement)).toBeNull();
    await says(page, /^(Computing|Ready)/);
    await page.close();
  });

  test("another site's visitors are offered it by a button, and nothing happens before they have agreed", async () => {
    const html = (attributes: string) =>
      `<!doctype html><title>A site</title><body><script async src="${origin}/lend/embed.js" ${attributes}></script>`;
    const server = createServer((request, response) => {
      // As strict as a site may be.
      response.setHeader("content-security-policy", `default-src 'none'; script-src ${origin}`);
      response.setHeader("cross-origin-embedder-policy", "require-corp");
      response.setHeader("content-type", "text/html");
      response.end(html(request.url === "/wrong" ? "" : `data-join="${secret.slice(1)}"`));
    }).listen(0, "127.0.0.1");
    try {
      await until("it listens", () => server.listening);
      const site = `http://localhost:${(server.address() as AddressInfo).port}`;
      const visitor = await browser.newContext({ locale: "zh-CN" });
      const asked: string[] = [];
      visitor.on("request", (request) => request.url().startsWith(origin) && asked.push(new URL(request.url()).pathname));
      const visited = await visitor.newPage();
      const complaints: string[] = [];
      visited.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
      await visited.goto(site);
      const button = visited.getByRole("button", { name: "借给" });
      await button.waitFor();
      expect(asked).toEqual(["/lend/embed.js"]);
      const opening = visitor.waitForEvent("page");
      await button.click();
      const opened = await opening;
      await opened.getByRole("button", { name: "借出" }).waitFor();
      expect(await opened.evaluate(() => window.opener)).toBeNull();
      expect((await cluster.client.request("hosts", {})).length).toBe(1); // the one of before
      expect(complaints.filter((text) => !text.includes("favicon"))).toEqual([]);
      await visited.goto(`${site}/wrong`);
      await until("it says what is missing", () => complaints.some((text) => text.includes("data-join")));
      await visitor.close();
    } finally {
      server.close();
    }
  });
});
