// The console and the join page over TLS of the local authority, in a real browser, beside a headless agent: the same address and port, and a
// page that the browser trusts, which so has shared memory.
import { createHash } from "node:crypto";
import { connect } from "node:tls";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { launchChromium, withoutChromium } from "./chromium.ts";
import { ensureConsole, PASSWORD } from "./console-stage.ts";
import { forks } from "./there-and-back.ts";

/** Any name but localhost, which is trusted anyway. */
const NAME = "coordinator.office.test";

/** What Chromium can be told to take for good: SHA-256 of the public key that is shown. */
function shownKey(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      const spki = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
      resolve(
        createHash("sha256")
          .update(spki ?? "")
          .digest("base64"),
      );
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

describe.skipIf(withoutChromium("TLS"))("over TLS", () => {
  let cluster: Cluster;
  let browser: Browser;
  let page: Page;
  let origin = "";

  beforeAll(async () => {
    await ensureConsole();
    cluster = await Cluster.start({ agents: ["desk"], coordinator: { tls: "local-authority" } });
    origin = `https://${NAME}:${cluster.port}`;
    const believed = `--ignore-certificate-errors-spki-list=${await shownKey(cluster.port)}`;
    browser = await launchChromium([], [`--host-resolver-rules=MAP ${NAME} 127.0.0.1`, believed]);
    page = await (await browser.newContext({ locale: "en-GB" })).newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await cluster?.close();
  });

  test("the first administrator signs in; the cookie is the site's own, and there is no warning", async () => {
    await page.goto(`${origin}/welcome${new URL(cluster.consoleUrl).hash}`);
    await page.getByLabel("Name", { exact: true }).fill("ada");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Begin" }).click();
    await page.getByRole("heading", { name: "Cluster", level: 1 }).waitFor();
    expect(await page.getByRole("note").count()).toBe(0);
    expect(await page.context().cookies()).toMatchObject([
      { name: "__Host-nightshift", secure: true, httpOnly: true, sameSite: "Strict" },
    ]);
  });

  test("plain http leads there, and what changes comes by itself", async () => {
    await page.goto(`${origin.replace("https", "http")}/hosts`);
    await page.getByRole("heading", { name: "Hosts", level: 1 }).waitFor();
    expect(page.url()).toBe(`${origin}/hosts`);
    await page.getByText("desk").first().waitFor();
  });

  test("a tab lends with shared memory, and forked processes are on it and on the headless agent", async () => {
    await page.goto(`${origin}/lend/${new URL(cluster.hostLink).hash}`);
    expect(await page.evaluate(() => [isSecureContext, crossOriginIsolated, typeof SharedArrayBuffer])).toEqual([
      ...[true, true, "function"],
    ]);
    await page.getByLabel("Whenever this page is open").check();
    await page.getByRole("slider").fill("1");
    await page.getByRole("button", { name: "Lend it" }).click();
    await until("it is ready", async () => /^Ready/.test(await page.locator(".words").innerText()));
    expect(await page.getByRole("note").count()).toBe(0);
    const hosts = await cluster.client.request("hosts", {});
    await forks(cluster, hosts.find(({ name }) => name !== "desk")?.name ?? "");
  });
});
